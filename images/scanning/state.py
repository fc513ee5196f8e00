"""What was found in some layers, as JSON: so that a scan goes on where it was, or where another one was."""

from dataclasses import asdict, fields
from typing import Any

from images.scanning.inventory import Finding, Inventory
from images.scanning.packages.package import Package

FINDING = tuple(one.name for one in fields(Finding))


def kept(inventory: Inventory) -> dict[str, Any]:
    """All that the next layer, or the report, wants to know of those so far."""
    return {
        "found": {path: _written(one) for path, one in inventory.found.items()},
        "buried": [[path, _written(one)] for path, one in inventory.buried],
        "sizes": inventory.sizes,
        "unpacked": inventory.budget.unpacked,
        "files": inventory.budget.files,
    }


def restore(inventory: Inventory, state: dict[str, Any]) -> None:
    inventory.found = {path: _read(one) for path, one in state["found"].items()}
    inventory.buried = [(path, _read(one)) for path, one in state["buried"]]
    inventory.sizes = list(state["sizes"])
    inventory.budget.unpacked, inventory.budget.files = state["unpacked"], state["files"]


def _written(finding: Finding) -> dict[str, Any]:
    told = {name: getattr(finding, name) for name in FINDING}
    told |= {"packages": [_slim(one) for one in finding.packages], "owned": sorted(finding.owned)}
    return {name: value for name, value in told.items() if value not in ("", [], {}, ("", ""))}


def _slim(package: Package) -> dict[str, Any]:
    return {name: value for name, value in asdict(package).items() if value not in ("", 0)}


def _read(told: dict[str, Any]) -> Finding:
    packages = [Package(**{"version": "", **one}) for one in told.get("packages", ())]
    licence = tuple(told.get("licence", ("", "")))
    return Finding(**told | {"packages": packages, "owned": set(told.get("owned", ())), "licence": licence})
