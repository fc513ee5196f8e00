"""The work of a scan: layers from the registry into the child process, then what came out is compared and kept."""

from typing import Any

from core.access import SYSTEM
from images.models import Artifact, Tag
from images.registry import taking
from images.scanning import external, fetching, layers, packing
from images.scanning.comparing import compare_all
from images.scanning.fetching import Part, Wanted
from images.scanning.limits import Limits
from images.scanning.looking import look_at_layer
from images.scanning.noting import note_parts, note_scan
from images.scanning.ordering import order_by_itself
from images.scanning.report import OWN_TOOL, Report, excuse
from images.scanning.selectors import excused_in
from operations.models import Operation
from operations.registry import Wait
from operations.services import fenced

LIMITS = Limits(wall_seconds=600)  # of one layer


def go_on(operation: Operation, artifact: Artifact) -> Wait | None:
    """Look at one more layer; None once the report is kept. Raises ScanProblem, Failed, RegistryAway."""
    wanted = fetching.read(artifact.repository.path, artifact.digest, LIMITS)
    if not isinstance(wanted, Wanted):
        _note_parts(operation, artifact, wanted)
        return None
    answer, count = look(wanted, _names(artifact), limits=LIMITS)
    if "whole" not in answer:
        told = {"done": count, "count": len(wanted.pieces)}
        return Wait(0.0, "scan_layer", told, step=f"layer:{count}")
    report = _compared(wanted, answer["whole"])
    excuse(report.compared.findings, excused_in(artifact.repository))
    with fenced(operation):
        note_scan(artifact, report=report)
    return None


def look(wanted: Wanted, names: list[str], *, limits: Limits) -> tuple[dict[str, Any], int]:
    """What is known with the next layer that nobody has looked at, and how many layers those are now."""
    state, count = layers.known(wanted.pieces)
    asked = {
        "config": wanted.config,
        "diff_ids": [one.diff_id for one in wanted.pieces],
        "digests": list(wanted.digests),
        "names": names,
        "state": state,
    }
    if count == len(wanted.pieces):
        return look_at_layer(asked, (), limits=limits), count
    with fetching.opened(wanted.path, wanted.pieces[count], limits) as pieces:
        answer = look_at_layer(asked, pieces, limits=limits)
    layers.remember(wanted.pieces, count + 1, answer["state"])
    return answer, count + 1


def _names(artifact: Artifact) -> list[str]:
    tags = Tag.objects.filter(artifact=artifact).order_by("name").values_list("name", flat=True)[:20]
    return [f"{artifact.repository.name}:{tag}" for tag in tags]


def _compared(wanted: Wanted, found: dict[str, Any]) -> Report:
    """By the imported advisories, or by another program where one is installed."""
    tool = external.installed()
    if tool is None:
        return Report(found, compare_all(found["packages"], found["system"]), OWN_TOOL)
    with packing.packed(wanted, LIMITS, tool=tool.name) as archive:
        return Report(found, external.run(tool, archive), tool.name)


def _note_parts(operation: Operation, artifact: Artifact, parts: list[Part]) -> None:
    """Each of them is an image of its own, with a report of its own."""
    home = artifact.repository
    for part in parts:
        if home.project is not None and not home.artifacts.filter(digest=part.digest).exists():
            taking.note(home.project, home.path, tag="", digest=part.digest, who=SYSTEM)
    for row in home.artifacts.select_related("repository").filter(digest__in=[part.digest for part in parts]):
        order_by_itself(row)
    with fenced(operation):
        note_parts(artifact, parts=[{"digest": part.digest, "platform": part.platform} for part in parts])
