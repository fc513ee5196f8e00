"""Size and names of files, and what must not stand in them."""

import ast
from pathlib import Path

from tests.rules.sources import APART, PACKAGES, ROOT, above, at, files, told, tree

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
MAY_READ_THE_ENVIRONMENT = {
    "portal/settings.py",
    "portal/environment.py",
    "portal/celery.py",
    "portal/asgi.py",
    "portal/wsgi.py",
    "manage.py",
}
NO_ROOM = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
ALL_PYTHON = [ROOT / "manage.py", *files(*PACKAGES, *APART)]
ALL_TEXT = [
    *ALL_PYTHON,
    *(path for ending in (".html", ".css", ".js", ".mjs", ".sh") for path in files(*PACKAGES, *APART, ending=ending)),
]


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    long = [f"{at(path)}: {count} lines" for path in ALL_TEXT if (count := lines(path)) > LONGEST_FILE]
    assert not long, told(long, f"Split by noun; {LONGEST_FILE} lines is the most:")


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_no_function_is_longer_than_a_screen() -> None:
    functions = [
        (path, node)
        for path in files(*PACKAGES, "launcher", "benchmarks", "scripts")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [
        f"{at(path, node)} {node.name}: {size(node)} lines" for path, node in functions if size(node) > LONGEST_FUNCTION
    ]
    assert not long, told(
        long, f"Give the parts of these functions names of their own; {LONGEST_FUNCTION} lines is the most:"
    )


def size(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the name to the end, without the docstring."""
    first = node.body[0]
    docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    told_lines = (first.end_lineno or 0) - first.lineno + 1 if docstring else 0
    return (node.end_lineno or 0) - node.lineno + 1 - told_lines


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = [at(path) for path in ALL_PYTHON if path.name in NO_ROOM]
    assert not drawers, told(drawers, "Name the file for what it holds, and move each thing to where its noun lives:")


def test_only_settings_read_the_environment() -> None:
    own = [path for path in files(*PACKAGES) if str(path.relative_to(ROOT)) not in MAY_READ_THE_ENVIRONMENT]
    readers = [at(path, node) for path in own for node in ast.walk(tree(path)) if reads_environment(node)]
    assert not readers, told(readers, "Read it in portal/settings.py and use django.conf.settings here:")


def reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(name.name in {"environ", "getenv"} for name in node.names)
    in_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    return in_os and node.attr in {"environ", "getenv", "environb"}


def test_nobody_catches_everything() -> None:
    catchers = [
        at(path, node)
        for path in ALL_PYTHON
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and catches_all(node)
    ]
    advice = (
        "Catch what you expect here and nothing else; a bug is logged with its request and the operation runs again:"
    )
    assert not catchers, told(catchers, advice)


def catches_all(handler: ast.ExceptHandler) -> bool:
    """`except:`, `except Exception` or, without raising again, `except BaseException`."""
    if handler.type is None:
        return True
    caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    raises_again = any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
    return "Exception" in caught or ("BaseException" in caught and not raises_again)


def test_tests_wait_on_conditions() -> None:
    """A sleep stands only inside a `while` that looks for something and has an end."""
    sleepers = [
        at(path, node)
        for path in files("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "sleep" and getattr(node.value, "id", "") == "time"
        if not any(isinstance(outer, ast.While) for outer in above(node))
    ]
    assert not sleepers, told(
        sleepers, "Wait for what you expect, with a deadline (launcher.processes.until), not for time:"
    )


def test_nothing_is_left_for_later() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    left = [
        at(path, number)
        for path in ALL_TEXT
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(f" {mark}" in line for mark in marks)
    ]
    assert not left, told(left, "Do it, or write it down where work is planned:")
