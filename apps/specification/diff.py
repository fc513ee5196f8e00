"""What differs between two specifications."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from apps.specification.model import Specification
from apps.specification.problems import Loc, path_of


@dataclass(frozen=True)
class Difference:
    """`before` None: added. `after` None: removed. A list counts as one value."""

    path: str
    before: object
    after: object

    def as_json(self) -> dict[str, object]:
        return {"path": self.path, "before": self.before, "after": self.after}


def differences(before: Specification, after: Specification) -> list[Difference]:
    """Sorted by path; empty when the two are the same."""
    return sorted(_differing(before.canonical(), after.canonical(), ()), key=lambda one: one.path)


def _differing(before: object, after: object, loc: Loc) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            yield from _differing(before.get(key), after.get(key), (*loc, key))
    elif before != after:
        yield Difference(path_of(loc), before, after)


def unified_lines(
    before: Specification, after: Specification, *, before_name: str, after_name: str, context: int = 3
) -> list[str]:
    """The difference of the two Compose files as unified diff lines, without line ends; empty when alike."""
    lines = difflib.unified_diff(
        before.to_yaml().splitlines(),
        after.to_yaml().splitlines(),
        fromfile=before_name,
        tofile=after_name,
        n=context,
        lineterm="",
    )
    return list(lines)
