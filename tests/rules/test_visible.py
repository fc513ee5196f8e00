"""A page, the API or a socket reads rows only as far as its reader may see them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.sources import PACKAGES, ROOT, above, at, files, name_of, told, tree

NARROWING = {"visible", "get_visible"}
MANAGERS = {"objects", "_default_manager", "_base_manager"}
ADVICE = (
    "A view, the API or a socket sees rows through core.access.visible(actor, ...) or get_visible(actor, ...).\n"
    "Pass the query to one of them, or move the read into the package's selectors and its write into services:"
)


BEHIND = {"services", "selectors", "tickets", "timeline"}  # reads and writes of console, which is otherwise all doors


def front_doors() -> list[Path]:
    """Modules that answer requests and sockets."""
    fronts = {"views", "api", "consumers", "streams", "sockets"}
    return [
        path
        for path in files(*PACKAGES)
        if (path.is_relative_to(ROOT / "console") and path.stem not in BEHIND)
        or fronts & {*path.relative_to(ROOT).parts, path.stem}
    ]


def test_rows_are_read_through_visible() -> None:
    faults = [at(path, node) for path in front_doors() for node in unguarded(tree(path))]
    assert not faults, told(faults, ADVICE)


def unguarded(module: ast.Module) -> Iterator[ast.Attribute]:
    """Uses of a model's manager that do not end in `visible` or `get_visible`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS and not narrowed(node):
            yield node


def narrowed(node: ast.AST) -> bool:
    """The node stands in the arguments of `visible`, or in a value whose name goes nowhere else."""
    if in_visible(node):
        return True
    around = list(above(node))
    assignment = next((outer for outer in around if isinstance(outer, ast.Assign)), None)
    function = next((outer for outer in around if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    if assignment is None or function is None or not isinstance(assignment.targets[0], ast.Name):
        return False
    name = assignment.targets[0].id
    uses = [
        use
        for use in ast.walk(function)
        if isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load) and assigned_to(use) != name
    ]
    return bool(uses) and all(in_visible(use) for use in uses)


def in_visible(node: ast.AST) -> bool:
    below = node
    for outer in above(node):
        if isinstance(outer, ast.Call) and name_of(outer.func) in NARROWING and below is not outer.func:
            return True
        below = outer
    return False


def assigned_to(node: ast.AST) -> str:
    """`rows` of `rows = rows.filter(...)`, seen from the second `rows`."""
    for outer in above(node):
        if isinstance(outer, ast.Assign) and isinstance(outer.targets[0], ast.Name):
            return outer.targets[0].id
    return ""


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("get_visible(actor, App.objects.all(), name=name)", True),
        ("access.visible(actor, App.objects.select_related('project')).filter(name=name)", True),
        ("rows = App.objects.all()\n    return visible(actor, rows)", True),
        ("rows = App.objects.all()\n    rows = rows.filter(a=1)\n    return visible(actor, rows)", True),
        ("rows = App.objects.all()\n    return rows", False),
        ("App.objects.get(pk=pk)", False),
        ("App.objects.visible(actor)", False),
        ("rows = App.objects.all()\n    visible(actor, rows)\n    return rows", False),
    ],
)
def test_the_rule_itself(code: str, allowed: bool, tmp_path: Path) -> None:
    file = tmp_path / "views.py"
    file.write_text(f"def view(actor, name, pk):\n    {code}\n")
    assert bool(list(unguarded(tree(file)))) != allowed
