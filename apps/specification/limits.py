"""Limits on plain data before anything looks at what it means."""

import math
from collections.abc import Iterator

from apps.specification.problems import Loc, Problem, SpecificationError, problem
from apps.specification.yaml_reading import DEEPEST, MOST_VALUES

LARGEST_TEXT = 256 * 1024
LARGEST_NUMBER = 1 << 63


def check_plain(data: object) -> list[Problem]:
    """Problems of single values (NUL, odd numbers, keys).

    Raises SpecificationError when the whole is out of bounds.
    """
    problems: list[Problem] = []
    size = 0
    for count, (loc, value) in enumerate(_walk(data)):
        if count >= MOST_VALUES:
            raise SpecificationError([problem((), "too_many_values", limit=MOST_VALUES)])
        if len(loc) > DEEPEST:
            raise SpecificationError([problem(loc[:4], "too_deep", limit=DEEPEST)])
        size += len(value) if isinstance(value, str) else 8
        if size > LARGEST_TEXT:
            raise SpecificationError([problem((), "too_big", limit=LARGEST_TEXT // 1024)])
        code = _wrong(value)
        if code:
            problems.append(problem(_printable(loc), code))
    return problems


def _walk(data: object) -> Iterator[tuple[Loc, object]]:
    """Every value and every key, without recursion."""
    waiting: list[tuple[Loc, object]] = [((), data)]
    while waiting:
        loc, value = waiting.pop()
        yield loc, value
        if isinstance(value, dict):
            for key, below in value.items():
                shown = key if isinstance(key, str) else repr(type(key))
                yield (*loc, shown), key if isinstance(key, str) else _NotText()
                waiting.append(((*loc, shown), below))
        elif isinstance(value, list | tuple):
            waiting += [((*loc, index), below) for index, below in enumerate(value)]


class _NotText:
    """Stands for a key that is not text."""


def _wrong(value: object) -> str | None:
    if isinstance(value, str):
        return _wrong_text(value)
    if value is None or isinstance(value, bool | dict | list | tuple):
        return None
    if isinstance(value, int):
        return None if -LARGEST_NUMBER < value < LARGEST_NUMBER else "number_out_of_range"
    if isinstance(value, float):
        return None if math.isfinite(value) else "number_out_of_range"
    return "not_a_value"


def _wrong_text(text: str) -> str | None:
    if "\x00" in text:
        return "nul"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "bad_text"
    return None


def _printable(loc: Loc) -> Loc:
    """A place whose odd keys can be shown and stored."""
    return tuple(
        part if isinstance(part, int) else part.replace("\x00", "\ufffd").encode(errors="replace").decode()
        for part in loc
    )
