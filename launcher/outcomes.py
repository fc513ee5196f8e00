"""What the tests of a part came to, as pytest wrote it down: a file of JUnit's form."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

WRITING = ("-o", "junit_family=xunit1")  # the family that names each test's file


@dataclass(frozen=True)
class Outcome:
    """`failed`: the tests' names as pytest takes them, those that could not be set up or cleared away included."""

    passed: int = 0
    skipped: int = 0
    failed: tuple[str, ...] = field(default=())


def words(file: Path) -> tuple[str, ...]:
    """For pytest, to write there."""
    return (*WRITING, f"--junit-xml={file}")


def outcome(file: Path) -> Outcome | None:
    """None: nothing was written, because the run ended early or was none of tests."""
    if not file.exists():
        return None
    ends: Counter[str] = Counter()
    failed: list[str] = []
    for case in ElementTree.parse(file).iter("testcase"):  # noqa: S314  what our own run wrote
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed.append(_name(case))
        else:
            ends["skipped" if "skipped" in kinds else "passed"] += 1
    return Outcome(ends["passed"], ends["skipped"], tuple(dict.fromkeys(failed)))


def _name(case: ElementTree.Element) -> str:
    file, place = case.get("file", ""), case.get("classname", "")
    classes = place.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    return "::".join(part for part in (file, *classes.split("."), case.get("name", "")) if part)
