"""Where in a text each value of a specification stands, so that what is wrong can be shown at its line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from apps.specification.limits import LARGEST_TEXT
from apps.specification.pointing import loc_of
from apps.specification.problems import Loc
from apps.specification.yaml_reading import DEEPEST, MOST_VALUES

STARTS = (yaml_events.MappingStartEvent, yaml_events.SequenceStartEvent)
ENDS = (yaml_events.MappingEndEvent, yaml_events.SequenceEndEvent)
VALUES = (yaml_events.ScalarEvent, yaml_events.AliasEvent, *STARTS)


@dataclass(frozen=True)
class Spot:
    """From one character up to another; lines and columns count from 1, the end is not part of it."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass
class _Level:
    """A list or a map that is being read. `key`: the key whose value comes next."""

    loc: Loc
    is_map: bool
    key: str | None = None
    mark: Any = None
    key_end: Any = None
    index: int = 0

    @property
    def awaits_key(self) -> bool:
        return self.is_map and self.key is None


@dataclass
class Positions:
    """`broken`: where the text stops being YAML."""

    spots: dict[Loc, Spot] = field(default_factory=dict)
    broken: Spot | None = None

    def of(self, path: str) -> Spot | None:
        """Where the value at a problem's path stands, or the nearest thing above it that is written."""
        try:
            loc = loc_of(path)
        except ValueError:
            return None
        while loc and loc not in self.spots:
            loc = loc[:-1]
        return self.spots.get(loc) if loc else None


def positions(text: str, *, several: bool = False) -> Positions:
    """Reads as far as the text can be read; never raises. `several`: places begin with the number of the document."""
    found = Positions()
    if len(text) > LARGEST_TEXT:
        return found
    try:
        for loc, spot in _walk(text, several):
            found.spots[loc] = spot  # a key that is written twice is shown where it comes again
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark:
            found.broken = Spot(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)
    except (YAMLError, ValueError, OverflowError):
        found.broken = Spot(1, 1, 1, 2)
    return found


def _walk(text: str, several: bool) -> Iterator[tuple[Loc, Spot]]:
    levels: list[_Level] = []
    documents = 0
    for count, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
        if count > 3 * MOST_VALUES or len(levels) > DEEPEST:
            return
        if isinstance(event, yaml_events.DocumentStartEvent):
            documents += 1
        elif isinstance(event, ENDS):
            levels.pop()
        elif isinstance(event, VALUES):
            level = levels[-1] if levels else None
            if level and level.awaits_key:
                if not isinstance(event, yaml_events.ScalarEvent):
                    return  # a list or a map as a key: the reading says so
                _keep_key(level, event)
            else:
                yield _opened(level, event, levels, (documents - 1,) if several else ())


def _opened(level: _Level | None, event: Any, levels: list[_Level], root: Loc) -> tuple[Loc, Spot]:
    """The place of a value; a list or a map is the level that what follows belongs to."""
    loc, spot = _placed(level, event, root)
    if isinstance(event, STARTS):
        levels.append(_Level(loc, isinstance(event, yaml_events.MappingStartEvent)))
    return loc, spot


def _keep_key(level: _Level, event: Any) -> None:
    level.key, level.mark, level.key_end = str(event.value), event.start_mark, event.end_mark


def _placed(level: _Level | None, event: Any, root: Loc) -> tuple[Loc, Spot]:
    """The place of a value in the document and in the text: from its key on, and to its end if that is on the line."""
    if level is None:
        return root, _spot(event.start_mark, event.start_mark)
    if level.is_map:
        loc: Loc = (*level.loc, level.key or "")
        start, end = level.mark, level.key_end
        level.key = None
    else:
        loc = (*level.loc, level.index)
        start = end = event.start_mark
        level.index += 1
    one_line = not isinstance(event, STARTS) and event.end_mark.line == start.line
    return loc, _spot(start, event.end_mark if one_line else end)


def _spot(start: Any, end: Any) -> Spot:
    last = max(end.column, start.column + 1) if end.line == start.line else end.column
    return Spot(start.line + 1, start.column + 1, end.line + 1, last + 1)
