"""YAML text as plain data, step by step: no objects, no bombs; numbers remember how they were written."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from apps.specification.problems import Loc, SpecificationError, problem
from apps.specification.scalars import WrittenFloat, WrittenInt

MOST_VALUES = 20_000
DEEPEST = 24
STANDARD = "tag:yaml.org,2002:"
NULLS = {"", "~", "null", "Null", "NULL"}
FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
WHOLE = re.compile(r"[-+]?[0-9]{1,18}\Z|0x[0-9a-fA-F]{1,15}\Z|0o[0-7]{1,20}\Z", re.ASCII)
FRACTION = re.compile(
    r"[-+]?(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40}|[0-9]{1,40}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?\Z", re.ASCII
)


class Step(NamedTuple):
    """One event of the parser. `kind`: scalar, list, map, end, alias, document or other."""

    kind: str
    anchor: str | None
    tag: str | None
    plain: bool
    text: str


KINDS = {
    yaml_events.ScalarEvent: "scalar",
    yaml_events.SequenceStartEvent: "list",
    yaml_events.MappingStartEvent: "map",
    yaml_events.SequenceEndEvent: "end",
    yaml_events.MappingEndEvent: "end",
    yaml_events.AliasEvent: "alias",
    yaml_events.DocumentStartEvent: "document",
}


def steps(text: str) -> Iterator[Step]:
    for event in YAML(typ="safe", pure=True).parse(text):
        tag = getattr(event, "tag", None)
        yield Step(
            kind=KINDS.get(type(event), "other"),
            anchor=getattr(event, "anchor", None),
            tag=None if tag is None else str(tag),
            plain=getattr(event, "style", None) is None,
            text=str(getattr(event, "value", "")),
        )


def read_yaml(text: str) -> object:
    """Lists, maps with text keys, text, numbers, true, false and None; raises SpecificationError."""
    found = read_documents(text, most=1)
    return found[0] if found else None


def read_documents(text: str, *, most: int) -> list[object]:
    """Each document of a text that may hold several; one with nothing in it is None."""
    try:
        return _Reading(text).all(most)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SpecificationError([problem((), "syntax", line=line, column=column)]) from None
    except (YAMLError, ValueError, OverflowError):
        # ValueError and OverflowError: escapes of characters that do not exist, versions of many digits
        raise SpecificationError([problem((), "syntax", line=1, column=1)]) from None


class _Reading:
    def __init__(self, text: str) -> None:
        self.steps = steps(text)
        self.anchors: dict[str, tuple[object, int, int]] = {}  # value, how many values it holds, how deep it is
        self.count = 0

    def all(self, most: int) -> list[object]:
        found: list[object] = []
        for step in self.steps:
            if step.kind == "document":
                if len(found) == most:
                    code = "one_document" if most == 1 else "too_many_documents"
                    raise SpecificationError([problem((), code, limit=most)])
                self.anchors = {}
                loc: Loc = () if most == 1 else (len(found),)
                value, _depth = self._value(next(self.steps), loc)
                found.append(value)
        return found

    def _value(self, step: Step, loc: Loc) -> tuple[object, int]:
        """The value that begins with `step`, and how many levels it has below itself."""
        if len(loc) > DEEPEST:
            raise SpecificationError([problem(loc[:4], "too_deep", limit=DEEPEST)])
        if step.kind == "alias":
            return self._alias(step, loc)
        before = self.count
        self._spend(1)
        value, depth = self._new(step, loc)
        if step.anchor:
            self.anchors[step.anchor] = (value, self.count - before, depth)
        return value, depth

    def _spend(self, amount: int) -> None:
        self.count += amount
        if self.count > MOST_VALUES:
            raise SpecificationError([problem((), "too_many_values", limit=MOST_VALUES)])

    def _alias(self, step: Step, loc: Loc) -> tuple[object, int]:
        if step.anchor not in self.anchors:
            raise SpecificationError([problem(loc, "unknown_alias", name=step.anchor)])
        value, size, depth = self.anchors[step.anchor]
        if len(loc) + depth > DEEPEST:
            raise SpecificationError([problem(loc[:4], "too_deep", limit=DEEPEST)])
        self._spend(size)
        return value, depth

    def _new(self, step: Step, loc: Loc) -> tuple[object, int]:
        if step.kind == "list":
            _check_tag(step, "seq", loc)
            return self._list(loc)
        if step.kind == "map":
            _check_tag(step, "map", loc)
            return self._map(loc)
        return scalar(step, loc), 0

    def _list(self, loc: Loc) -> tuple[list[object], int]:
        found: list[object] = []
        deepest = 0
        while (step := next(self.steps)).kind != "end":
            value, depth = self._value(step, (*loc, len(found)))
            found.append(value)
            deepest = max(deepest, depth + 1)
        return found, deepest

    def _map(self, loc: Loc) -> tuple[dict[str, object], int]:
        found: dict[str, object] = {}
        merged: list[object] = []
        deepest = 0
        while (step := next(self.steps)).kind != "end":
            key = self._key(step, loc)
            value, depth = self._value(next(self.steps), (*loc, key))
            deepest = max(deepest, depth + 1)
            if key == "<<" and step.plain:
                merged += value if isinstance(value, list) else [value]
            elif key in found:
                raise SpecificationError([problem((*loc, key), "duplicate_key")])
            else:
                found[key] = value
        return _merge(found, merged, loc), deepest

    def _key(self, step: Step, loc: Loc) -> str:
        self._spend(1)
        if step.kind == "alias":
            value, _depth = self._alias(step, loc)
            if isinstance(value, str):
                return value
        if step.kind != "scalar":
            raise SpecificationError([problem(loc, "bad_key")])
        if step.anchor:
            self.anchors[step.anchor] = (step.text, 1, 0)
        return step.text


def _merge(found: dict[str, object], merged: list[object], loc: Loc) -> dict[str, object]:
    """What is written wins over what is merged, and an earlier merge over a later one."""
    for source in merged:
        if not isinstance(source, dict):
            raise SpecificationError([problem(loc, "bad_merge")])
        found = found | {key: value for key, value in source.items() if key not in found}
    return found


def _check_tag(step: Step, plain: str, loc: Loc) -> None:
    if step.tag not in (None, "!", STANDARD + plain):
        raise SpecificationError([problem(loc, "yaml_tag", name=step.tag)])


def scalar(step: Step, loc: Loc) -> object:
    """The value of plain text by the core rules of YAML 1.2; quoted text is text."""
    text, tag = step.text, step.tag
    if tag is None:
        return resolved(text) if step.plain else text
    kind = tag.removeprefix(STANDARD)
    if tag == "!" or kind == "str":
        return text
    if tag == kind or kind not in ("int", "float", "bool", "null"):
        raise SpecificationError([problem(loc, "yaml_tag", name=tag)])
    return resolved(text)


def resolved(text: str) -> object:
    if text in NULLS:
        return None
    if text in FLAGS:
        return FLAGS[text]
    if WHOLE.match(text):
        whole = WrittenInt(int(text, 0) if text[:2] in ("0x", "0o") else int(text))
        whole.text = text
        return whole
    if FRACTION.match(text):
        fraction = WrittenFloat(text)
        fraction.text = text
        return fraction
    return text
