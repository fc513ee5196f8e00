"""A foreign Compose file, key by key: what is kept, what becomes of it, what stands in the way."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from apps.specification.model import Specification
from apps.specification.pointing import loc_of, value_at
from apps.specification.positions import Positions, Spot, positions
from apps.specification.problems import Loc, Note, Problem, SpecificationError, clipped, path_of
from apps.specification.reading import Examined, examine, plain_data
from core.errors import Text
from core.names import is_label

Kind = Literal["refused", "changed", "dropped", "chosen", "kept"]
ORDER: tuple[Kind, ...] = ("refused", "changed", "dropped", "chosen", "kept")
TRANSLATED = {
    "restart_translated",
    "renamed",
    "host_port_chosen",
    "host_address_chosen",
    "port_kept_inside",
    "rollback_follows_update",
    "secret_value_elsewhere",
    "size_translated",
}
SECTIONS = ("services", "volumes", "configs", "secrets", "networks")


@dataclass(frozen=True)
class Line:
    """What becomes of one key. `leave`: the path to leave out to be rid of a refusal; empty where none helps."""

    kind: Kind
    path: str
    message: Text
    hint: Text = ""
    code: str = ""
    leave: str = ""
    spot: Spot | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "path": self.path,
            "code": self.code,
            "message": str(self.message),
            "hint": str(self.hint),
            "leave_out": self.leave,
            "line": self.spot.line if self.spot else None,
            "column": self.spot.column if self.spot else None,
        }


@dataclass(frozen=True)
class Import:
    """`leaving_out`: paths the person chose to do without. Bombs, depth and size are refused like anything else.

    `trouble`: why a text of several documents could not be read at all.
    """

    text: str
    leaving_out: tuple[str, ...] = ()
    trouble: tuple[Problem, ...] = ()

    @cached_property
    def specification(self) -> Specification | None:
        """None while something stands in the way."""
        return self._seen.specification

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """Those of the chosen paths at which there was something."""
        return tuple(one.path for one in self._seen.notes if one.code == "left_out")

    @cached_property
    def lines(self) -> list[Line]:
        """What stands in the way first, then what changes, then the rest; each in the order of the text."""
        found = [*(self._refused(one) for one in self._seen.problems), *(self._noted(one) for one in self._seen.notes)]
        found += self._kept({line.path for line in found})
        found.sort(key=lambda line: (ORDER.index(line.kind), line.spot.line if line.spot else 0))
        first: dict[str, Line] = {}
        for line in found:
            first.setdefault(line.leave, line)
        return [line if first[line.leave] is line else replace(line, leave="") for line in found]

    @property
    def speaks(self) -> str:
        """In which words the file is written."""
        return "Compose"

    @property
    def name(self) -> str:
        """What the file calls the app, where that can be a name."""
        name = value_at(self._data, ("name",))
        return name if isinstance(name, str) and is_label(name) else ""

    @cached_property
    def _data(self) -> object:
        """None where the text cannot be read at all."""
        if self.trouble:
            return None
        try:
            return plain_data(self.text)
        except SpecificationError:
            return None

    @cached_property
    def _seen(self) -> Examined:
        if self.trouble:
            return Examined(None, problems=self.trouble)
        try:
            return examine(plain_data(self.text), mode="import", leaving_out=self.leaving_out)
        except SpecificationError as error:
            return Examined(None, problems=tuple(error.errors))

    @cached_property
    def _positions(self) -> Positions:
        return positions(self.text, several=bool(self.trouble))

    def _spot(self, path: str) -> Spot | None:
        return self._positions.of(path) if path else self._positions.broken

    def _refused(self, one: Problem) -> Line:
        leave = "" if self._data is None else self._way_around(one)
        return Line("refused", one.field, one.message, one.hint, one.code, leave, self._spot(one.field))

    def _way_around(self, one: Problem) -> str:
        """The key itself; the whole service where it lacks something, if it is not the only one."""
        try:
            loc = loc_of(one.field)
        except ValueError:
            return ""
        if not loc:
            return ""
        services = value_at(self._data, ("services",))
        several = isinstance(services, dict) and len(services) > 1
        if one.code in ("missing", "build_first") and loc[:1] == ("services",) and len(loc) > 1:
            return path_of(loc[:2]) if several else ""
        there = value_at(self._data, loc[:-1])
        if isinstance(there, list) and isinstance(loc[-1], str):
            return _entry_of(there, loc)
        written = isinstance(there, dict) and loc[-1] in there or isinstance(there, list)
        return one.field if written and one.field != "services" else ""

    def _noted(self, one: Note) -> Line:
        kind: Kind = "chosen" if one.code == "left_out" else "changed" if one.code in TRANSLATED else "dropped"
        return Line(kind, one.path, one.message, code=one.code, spot=self._spot(one.path))

    def _kept(self, told: Collection[str]) -> Iterator[Line]:
        for loc in _keys(self._data):
            path = path_of(loc)
            if not any(_within(one, path) or _within(path, one) for one in told):
                yield Line("kept", path, clipped(value_at(self._data, loc)), code="kept", spot=self._spot(path))


def _entry_of(entries: list[object], loc: Loc) -> str:
    """The place in a list of what is named by what it says: `depends_on: [db]` is found as depends_on.db."""
    names = [one.get("source") if isinstance(one, dict) else str(one).partition(":")[0] for one in entries]
    return path_of((*loc[:-1], names.index(loc[-1]))) if loc[-1] in names else ""


def _within(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def _keys(data: object) -> Iterator[Loc]:
    """The keys people think in: those of each service, and each thing that is declared."""
    if not isinstance(data, dict):
        return
    for section, value in data.items():
        if section not in SECTIONS or not isinstance(value, dict):
            yield (section,)
            continue
        for name, below in value.items():
            if section == "services" and isinstance(below, dict):
                yield from ((section, name, key) for key in below)
            else:
                yield (section, name)
