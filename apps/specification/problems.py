"""What is wrong with a specification, and what was understood differently than written.

Validators raise a fault (a code and its values); the words for a code stand in `sentences.py` only.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from apps.specification.sentences import SENTENCES
from core.errors import FieldProblem, Invalid, Text

Loc = tuple[str | int, ...]
Problem = FieldProblem

PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
SHOWN = 80  # characters of a person's own text inside a sentence


class SpecificationError(Invalid):
    """A 422 whose `errors` list everything that stands in the way, at once."""

    code = "specification_invalid"
    title = _("The specification cannot be used as it is")

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(errors=problems)


@dataclass(frozen=True)
class Note:
    """Something accepted that becomes other than it was written. `path` as in `Problem.field`."""

    path: str
    code: str
    message: Text

    def as_json(self) -> dict[str, str]:
        return {"path": self.path, "code": self.code, "message": str(self.message)}


def path_of(loc: Loc) -> str:
    """("services", "web", "ports", 0) is services.web.ports[0]; keys with other characters are quoted."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif len(part) <= SHOWN and PLAIN_KEY.match(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(clipped(part))}]"
    return text


def clipped(value: object) -> str:
    """A person's value short enough for a sentence."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def problem(loc: Loc, code: str, /, **values: object) -> Problem:
    """The problem at `loc`, in words of the reader's language when shown."""
    message, hint = SENTENCES[code]
    shown = _shown(loc, values)
    return Problem(
        field=path_of(loc), code=code, message=format_lazy(message, **shown), hint=format_lazy(hint, **shown)
    )


def note(loc: Loc, code: str, /, **values: object) -> Note:
    return Note(path=path_of(loc), code=code, message=format_lazy(SENTENCES[code][0], **_shown(loc, values)))


def _shown(loc: Loc, values: dict[str, object]) -> dict[str, int | str]:
    kept = {key: value if isinstance(value, int) else clipped(value) for key, value in values.items()}
    return {"path": path_of(loc) or "/", **kept}


Line = tuple[Loc, str, dict[str, object]]


class Fault(Exception):
    """Raised while reading a value: one or several lines, each a place below the value, a code and its values."""

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(", ".join(code for _loc, code, _values in lines))
        self.lines = tuple(lines)

    def for_pydantic(self) -> ValidationError:
        """The same as pydantic wants it, which puts the place of the field in front."""
        details = [
            InitErrorDetails(type=PydanticCustomError(code, code, values), loc=loc, input=None)
            for loc, code, values in self.lines
        ]
        return ValidationError.from_exception_data("specification", details)


def fault(code: str, /, *, at: Loc = (), **values: object) -> Fault:
    return Fault([(at, code, values)])


class Gathering:
    """Collects the faults of several parts, to raise them together."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    @contextmanager
    def at(self, *loc: str | int) -> Iterator[None]:
        """A fault raised inside is kept, with `loc` in front."""
        try:
            yield
        except Fault as error:
            self.lines += [((*loc, *below), code, values) for below, code, values in error.lines]

    def finish(self) -> None:
        if self.lines:
            raise Fault(self.lines)
