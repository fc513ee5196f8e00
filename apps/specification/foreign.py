"""Documents of another kind as a specification: what becomes of each field, what stands in the way, with its line."""

from dataclasses import dataclass, replace
from functools import cached_property

from django.utils.functional import lazystr

from apps.specification.dollars import escaped
from apps.specification.importing import ORDER, Import, Line
from apps.specification.limits import check_plain
from apps.specification.model import Specification
from apps.specification.omitting import Omission, leave_out_of
from apps.specification.pointing import loc_of, value_at
from apps.specification.positions import Positions, Spot, positions
from apps.specification.problems import Loc, Problem, SpecificationError, path_of
from apps.specification.reading import examine, plain_data, plain_documents
from backends.contract.documents import Format, Remark, Translated
from backends.formats import FORMATS, format_of
from core.errors import Text

MOST_LINES = 500  # of a kind


@dataclass(frozen=True)
class ForeignImport:
    """The same to look at as an Import. What comes out of the translation is checked like anything that is sent."""

    text: str
    documents: tuple[object, ...]
    format: Format
    leaving_out: tuple[str, ...] = ()

    @property
    def speaks(self) -> str:
        return self.format.label

    @property
    def specification(self) -> Specification | None:
        """None while something stands in the way."""
        refused = any(one.kind == "refused" for one in self._translated.remarks)
        return None if refused else self._checked[0]

    @property
    def name(self) -> str:
        return self._translated.name

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        return tuple(one.path for one in self._shortened[1].notes)

    @cached_property
    def lines(self) -> list[Line]:
        """What stands in the way first, then what changes, then the rest; so many of each as anybody reads."""
        problems = [(one, self._origin(one.field)) for one in self._checked[1]]
        remarks = self._translated.remarks
        told = [loc for _one, loc in problems] + [one.loc for one in remarks if one.kind != "kept"]
        above = {loc[:depth] for loc in told for depth in range(len(loc) + 1)}
        shown = [one for one in remarks if one.kind != "kept" or one.loc not in above]
        found = [self._line(one) for kind in ORDER for one in [one for one in shown if one.kind == kind][:MOST_LINES]]
        found += [self._refused(one, loc) for one, loc in problems[:MOST_LINES]]
        found += [
            Line("chosen", one.path, one.message, code=one.code, spot=self._positions.of(one.path))
            for one in self._shortened[1].notes
        ]
        found.sort(key=lambda line: (ORDER.index(line.kind), line.spot.line if line.spot else 0))
        first: dict[str, Line] = {}
        for line in found:
            first.setdefault(line.leave, line)
        return [line if first[line.leave] is line else replace(line, leave="") for line in found]

    @cached_property
    def _shortened(self) -> tuple[list[object], Omission]:
        return leave_out_of(list(self.documents), paths=self.leaving_out)

    @cached_property
    def _translated(self) -> Translated:
        return self.format.read(self._shortened[0])

    @cached_property
    def _checked(self) -> tuple[Specification | None, tuple[Problem, ...]]:
        try:
            seen = examine(escaped(self._translated.document), mode="strict")
        except SpecificationError as error:
            return None, tuple(error.errors)
        return seen.specification, seen.problems

    @cached_property
    def _positions(self) -> Positions:
        return positions(self.text, several=True)

    def _line(self, one: Remark) -> Line:
        path = self._written(one.loc)
        leave = self._written(one.leave or one.loc) if one.kind == "refused" else ""
        return Line(one.kind, path, one.message, one.hint, one.code, leave, self._spot(path))

    def _refused(self, one: Problem, loc: Loc) -> Line:
        """A fault of what was made, at the place it was made from."""
        path = self._written(loc)
        here = value_at(self._shortened[0], loc)
        leave = path if loc and here is not None else ""
        return Line("refused", path or one.field, _said(one, path), one.hint, one.code, leave, self._spot(path))

    def _origin(self, field: str) -> Loc:
        """Where the nearest thing came from."""
        try:
            loc = loc_of(field)
        except ValueError:
            return ()
        while loc and loc not in self._translated.origins:
            loc = loc[:-1]
        return self._translated.origins.get(loc, ())

    def _written(self, loc: Loc) -> str:
        return self._shortened[1].written(path_of(loc))

    def _spot(self, path: str) -> Spot | None:
        return self._positions.of(path) if path else None


def _said(one: Problem, path: str) -> Text:
    """The sentence with the place that the person knows."""
    return lazystr(_Said(one, path)) if path and one.field else one.message


@dataclass(frozen=True)
class _Said:
    problem: Problem
    path: str

    def __str__(self) -> str:
        return str(self.problem.message).replace(self.problem.field, self.path, 1)


def import_of(text: str, leaving_out: tuple[str, ...] = ()) -> Import | ForeignImport:
    """What a file becomes: of the kind that its documents are."""
    if not any(one.mentions(text) for one in FORMATS):
        return Import(text, leaving_out)
    try:
        documents = plain_documents(text)
    except SpecificationError as error:
        return Import(text, leaving_out, tuple(error.errors) if _several(text) else ())
    found = format_of(documents)
    if found is None:
        return Import(text, leaving_out)
    trouble = _out_of_bounds(documents)
    if trouble:
        return Import(text, leaving_out, trouble)
    return ForeignImport(text, tuple(documents), found, leaving_out)


def _out_of_bounds(documents: list[object]) -> tuple[Problem, ...]:
    try:
        return tuple(check_plain(documents)[:MOST_LINES])
    except SpecificationError as error:
        return tuple(error.errors)


def _several(text: str) -> bool:
    try:
        plain_data(text)
    except SpecificationError as error:
        return any(one.code == "one_document" for one in error.errors)
    return False
