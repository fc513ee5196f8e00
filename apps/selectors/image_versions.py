"""Tags that are versions, in their usual order: 1.9 before 1.10, 1.5.0-rc2 before 1.5.0. Others have no order."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"(?P<prefix>v?)(?P<numbers>\d{1,8}(?:\.\d{1,8}){0,3})(?P<rest>(?:[-_.+].*)?)\Z", re.ASCII)
_EARLY = re.compile(
    r"[-_.]?(?P<kind>alpha|beta|pre|rc|dev|snapshot)[-_.]?(?P<number>\d{0,8})(?P<rest>(?:[-_.+].*)?)\Z", re.ASCII
)
_ORDER = ("snapshot", "dev", "alpha", "beta", "pre", "rc")
_DONE = len(_ORDER)


@dataclass(frozen=True)
class Version:
    """Two of one `line` can be compared: they are written with as many numbers, and mean the same variant.

    A tag with fewer numbers, such as `1` beside `1.4`, is meant to move; it is no version of its own.
    """

    line: tuple[str, int, str]
    place: tuple[tuple[int, ...], int, int]

    @property
    def early(self) -> bool:
        """Before its release, such as 1.5.0-rc2."""
        return self.place[1] < _DONE

    def after(self, other: "Version") -> bool:
        """Whether it is to be offered to whoever runs the other: nobody who runs a release is offered a candidate."""
        return self.line == other.line and self.place > other.place and (other.early or not self.early)


def version_of(tag: str) -> Version | None:
    """None for a tag that is no version, such as `latest` or `main-3f2a`."""
    found = _FORM.match(tag)
    if found is None:
        return None
    numbers, rest = tuple(int(one) for one in found["numbers"].split(".")), found["rest"].lower()
    early = _EARLY.match(rest)
    stage, number = (_ORDER.index(early["kind"]), int(early["number"] or 0)) if early else (_DONE, 0)
    variant = early["rest"] if early else rest
    return Version((found["prefix"], len(numbers), variant), (numbers, stage, number))


def newest_of(tag: str, others: list[str]) -> str:
    """The highest tag that comes after this one; empty where none does, or this one is no version."""
    here = version_of(tag)
    if here is None:
        return ""
    later = [(found.place, one) for one in others if (found := version_of(one)) is not None and found.after(here)]
    return max(later)[1] if later else ""
