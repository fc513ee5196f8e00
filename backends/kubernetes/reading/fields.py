"""A map of a document while it is read: what nobody asked for by the end is told, so nothing is lost in silence."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.contract.documents import Loc, Remark
from backends.kubernetes.reading.rules import RULES, UNKNOWN, Rule, told

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")
_SHOWN = 80


def clipped(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def plain(value: object) -> object:
    """A value that can be a key; what cannot be one as text, to be refused where it is used."""
    return value if value is None or isinstance(value, str | int | float) else clipped(value)


def path_of(loc: Loc) -> str:
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.match(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(clipped(part))}]"
    return text


@dataclass
class Report:
    """What a reading gathers on its way."""

    remarks: list[Remark] = field(default_factory=list)
    origins: dict[Loc, Loc] = field(default_factory=dict)

    def tell(self, fields: "Fields", rule: Rule, *below: str | int, **values: object) -> None:
        """`rule` about what stands below `fields`."""
        loc = (*fields.loc, *below)
        shown = {name: clipped(value) for name, value in values.items()}
        message, hint = told(rule, fields.named(*below), shown)
        leave = fields.loc[: fields.owner[1]] if rule.whole else loc
        self.remarks.append(Remark(rule.kind, loc, rule.code, message, hint, leave))


class Fields:
    """`place`: which rules hold for keys that nobody asks for. `covered`: values are shown to nobody."""

    def __init__(
        self, data: object, loc: Loc, report: Report, *, place: str, owner: tuple[str, int], covered: bool = False
    ) -> None:
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        self.loc, self.report, self.place, self.owner, self.covered = loc, report, place, owner, covered
        self._taken: set[str] = set()
        if data is not None and not isinstance(data, dict):
            report.tell(self, UNKNOWN["not_a_map"])

    def named(self, *below: str | int) -> str:
        """How a person finds it: what it belongs to, and the path within that."""
        name, depth = self.owner
        path = path_of((*self.loc, *below)[depth:])
        return f"{name}: {path}" if path else name

    def __contains__(self, key: str) -> bool:
        return self.data.get(key) is not None

    def take(self, key: str, default: Any = None) -> Any:
        """The value of a leaf, as it is written; it counts as kept."""
        self._taken.add(key)
        if key not in self:
            return default
        shown = "" if self.covered else clipped(self.data[key])
        self.report.remarks.append(Remark("kept", (*self.loc, key), "kept", shown))
        return self.data[key]

    def peek(self, key: str, default: Any = None) -> Any:
        """The value, without anything said of it here."""
        self._taken.add(key)
        return self.data[key] if key in self else default

    def scalar(self, key: str, default: Any = None) -> Any:
        """The same of what is no list and no map."""
        return plain(self.peek(key, default))

    def words(self, key: str) -> list[str] | None:
        """A list of texts; anything else is told. The program's texts may be numbers, as they are written."""
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.report.tell(self, UNKNOWN["not_words"], key)
            return None
        return value

    def below(self, key: str, place: str = "") -> "Fields":
        """The map below a key; an empty one where there is none."""
        return self._fields(self.peek(key), (key,), place or key)

    def each(self, key: str, place: str = "") -> list["Fields"]:
        """The maps of a list."""
        value = self.peek(key)
        if value is not None and not isinstance(value, list):
            self.report.tell(self, UNKNOWN["not_a_list"], key)
            return []
        return [self._fields(one, (key, at), place or key) for at, one in enumerate(value or ())]

    def texts(self, key: str) -> Iterator[tuple[str, str]]:
        """The pairs of a map of texts."""
        found = self.below(key)
        for name, value in found.data.items():
            if isinstance(value, str):
                yield name, value
            else:
                self.report.tell(found, UNKNOWN["not_text"], name)

    def _fields(self, data: object, below: Loc, place: str) -> "Fields":
        return Fields(data, (*self.loc, *below), self.report, place=place, owner=self.owner, covered=self.covered)

    def tell(self, code: str, *below: str | int, **values: object) -> None:
        self.report.tell(self, UNKNOWN[code], *below, **values)

    def rest(self, *silent: str) -> None:
        """Tells of every key that was not asked for."""
        for key, value in self.data.items():
            if key in self._taken or key in silent or value in (None, [], {}):
                continue
            rule = RULES.get(f"{self.place}.{key}")
            if rule is None:
                rule = UNKNOWN["unknown"]
            elif any(value is one or (value == one and type(value) is type(one)) for one in rule.harmless):
                rule = UNKNOWN["not_needed"]
            self.report.tell(self, rule, key)
