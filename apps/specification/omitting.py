"""Leaving keys out because the person chose to: each is recorded as a note, and list places keep their numbers."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from apps.specification.problems import Loc, Note, Problem, note, path_of


@dataclass
class Omission:
    """What was left out, and for each shortened list which of its written places are still there."""

    notes: list[Note] = field(default_factory=list)
    kept: dict[str, list[int]] = field(default_factory=dict)

    def written(self, path: str) -> str:
        """A path in the shortened text, as it stands in the text that was written."""
        for shortened in sorted(self.kept, key=len):
            found = re.match(r"\[(\d+)\]", path.removeprefix(shortened)) if path.startswith(shortened) else None
            if found and int(found[1]) < len(self.kept[shortened]):
                place = self.kept[shortened][int(found[1])]
                path = f"{shortened}[{place}]{path.removeprefix(shortened)[found.end() :]}"
        return path

    def written_problem(self, problem: Problem) -> Problem:
        return replace(problem, field=self.written(problem.field))

    def written_note(self, found: Note) -> Note:
        return replace(found, path=self.written(found.path))


def leave_out(data: dict[str, object], *, paths: Collection[str]) -> tuple[dict[str, object], Omission]:
    """A copy of `data` without the values at `paths` (written as a problem's `field`)."""
    omission = Omission()
    return _map_without(data, (), frozenset(paths), omission), omission


def leave_out_of(documents: list[object], *, paths: Collection[str]) -> tuple[list[object], Omission]:
    """The same of several documents, whose paths begin with their places."""
    omission = Omission()
    found = _without(documents, (), frozenset(paths), omission)
    return found if isinstance(found, list) else [], omission


def _without(data: object, loc: Loc, paths: frozenset[str], omission: Omission) -> object:
    if isinstance(data, dict):
        return _map_without(data, loc, paths, omission)
    if not isinstance(data, list):
        return data
    kept = [index for index in range(len(data)) if not _omit((*loc, index), paths, omission)]
    if len(kept) < len(data):
        omission.kept[path_of(loc)] = kept
    return [_without(data[index], (*loc, index), paths, omission) for index in kept]


def _map_without(data: dict[str, object], loc: Loc, paths: frozenset[str], omission: Omission) -> dict[str, object]:
    return {
        key: _without(value, (*loc, key), paths, omission)
        for key, value in data.items()
        if not _omit((*loc, key), paths, omission)
    }


def _omit(loc: Loc, paths: frozenset[str], omission: Omission) -> bool:
    if not paths or path_of(loc) not in paths:
        return False
    omission.notes.append(note(loc, "left_out"))
    return True
