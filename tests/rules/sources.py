"""The project's own files, read as they lie there, and what is found in their syntax."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("portal", "console", "observe", "apps", "images", "tenants", "operations", "audit", "backends", "core")
APART = ("launcher", "benchmarks", "scripts", "tests", "docs", "frontend", "samples", "templates", "static", "deploy")
MADE = ("migrations", "__pycache__", "node_modules", "vendor")


def files(*folders: str, ending: str = ".py") -> list[Path]:
    """Files of these folders, without what a program made."""
    found = (path for folder in folders for path in (ROOT / folder).rglob(f"*{ending}"))
    return sorted(path for path in found if not set(MADE) & set(path.parts))


def service_modules() -> list[ModuleType]:
    """Every module of writes, imported: `services.py`, and those of a `services` package."""
    found = [path for path in files(*PACKAGES) if path.stem == "services" or path.parent.name == "services"]
    return [importlib.import_module(dotted(path)) for path in found]


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def at(path: Path, node: ast.AST | int = 0) -> str:
    """`apps/views.py:12`, as an editor understands it."""
    line = node if isinstance(node, int) else getattr(node, "lineno", 0)
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax of a file; every node knows the one it stands in as `.above`."""
    parsed = ast.parse(path.read_text())
    for node in ast.walk(parsed):
        for child in ast.iter_child_nodes(node):
            child.above = node
    return parsed


def above(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes around a node, the nearest first."""
    while (node := getattr(node, "above", None)) is not None:
        yield node


def name_of(function: ast.expr) -> str:
    """`b` of `a.b` and of `b`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def told(faults: list[str], what_to_do: str) -> str:
    """The message of a failed rule."""
    return "\n".join([what_to_do, "", *faults])
