"""How grave a line of a log is, and whether it belongs to the line before it: read from what apps commonly write."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from backends.contract import LogLine

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_ORDER = {name: place for place, name in enumerate(LEVELS)}
_UNKNOWN = _ORDER["info"]  # a line that says nothing about itself passes as information
_LOOKED_AT = 400  # characters at the start of a line
_LARGEST_JSON = 64 * 1024
_TOGETHER_NS = 5_000_000_000  # lines further apart are not one message

_NAMES = {
    "trace": "trace", "trc": "trace", "finest": "trace", "finer": "trace", "verbose": "trace",
    "debug": "debug", "dbg": "debug", "debu": "debug", "fine": "debug",
    "info": "info", "inf": "info", "information": "info", "notice": "info", "log": "info",
    "warn": "warn", "warning": "warn", "wrn": "warn",
    "error": "error", "err": "error", "eror": "error", "severe": "error",
    "fatal": "fatal", "critical": "fatal", "crit": "fatal", "panic": "fatal", "emerg": "fatal", "emergency": "fatal",
    "alert": "fatal", "ftl": "fatal",
}  # fmt: skip
_FIELDS = ("level", "severity", "lvl", "loglevel", "log_level", "log.level", "levelname", "@l", "severity_text")
_KLOG = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d")
_WORD = re.compile(r"[A-Za-z]+")
_NAMED = ("level", "lvl", "severity")
_KNOWN = frozenset(_NAMES)
_LEVEL_BY = 160  # a level stands within so many characters
_THROWN = re.compile(r"(?:Error|[eE]xception)\b|\bTraceback\b")
_ERRORS = {"error", "err", "critical", "crit", "exception", "traceback"}
_ESCAPES = re.compile(r"\x1b\[[0-9;:]*m")
_GOES_ON = re.compile(r"^(?:[ \t]+\S|Caused by: |\.\.\. \d+ more|[})\]]+[,;]?$)")
_TRACE_END = re.compile(r"^[A-Za-z_][\w.]*(?:: .*|$)")
_TRACE = "Traceback (most recent call last):"
_KLOG_LEVELS = {"I": "info", "W": "warn", "E": "error", "F": "fatal"}


def at_least(level: str, wanted: str) -> bool:
    """Whether a line of this level passes where `wanted` and above are asked for; an empty `wanted` lets all pass."""
    return not wanted or _ORDER.get(level, _UNKNOWN) >= _ORDER[wanted]


def level_of(text: str) -> str:
    """One of LEVELS, or empty where the line does not say."""
    if "\x1b" in text[:_LOOKED_AT]:
        text = _ESCAPES.sub("", text[: _LOOKED_AT * 4])
    if text[:1] == "{" and len(text) <= _LARGEST_JSON and (fields := _fields(text)) is not None:
        return _of_fields(fields)
    return _of_words(text[:_LOOKED_AT])


def _fields(text: str) -> Mapping[str, Any] | None:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _of_fields(fields: Mapping[str, Any]) -> str:
    for name in _FIELDS:
        value = fields.get(name)
        if isinstance(value, str) and value.casefold() in _NAMES:
            return _NAMES[value.casefold()]
        if isinstance(value, int | float) or (isinstance(value, str) and value.isascii() and value.isdigit()):
            return _of_number(float(value))
    nested = fields.get("log")
    return _of_fields(nested) if isinstance(nested, dict) and "log" not in nested else ""


def _of_number(value: float) -> str:
    """10 to 60 as pino and bunyan count; 0 to 7 as syslog does, where 0 is the gravest."""
    if value >= 10:
        return LEVELS[min(5, int(value) // 10 - 1)]
    return ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug", "trace", "trace")[max(0, int(value))]


def _of_words(start: str) -> str:
    """What stands as a level (`[warn]`, `level=warn`, `WARN`, `warn:` near the start), else what the words speak of."""
    if start[:1] in _KLOG_LEVELS and (found := _KLOG.match(start)):
        return _KLOG_LEVELS[found[1]]
    lower = start.lower()
    spoken = _KNOWN.intersection(_WORD.findall(lower))
    if spoken:
        placed = [(place, word) for word in spoken if (place := _standing(start, lower, word)) >= 0]
        if placed:
            return _NAMES[min(placed)[1]]
        spoken = frozenset(word for word in spoken if f"/{word}" not in lower)
    if spoken & {"fatal", "panic"}:
        return "fatal"
    if spoken & _ERRORS or _THROWN.search(start):
        return "error"
    return "warn" if spoken & {"warn", "warning"} else ""


def _standing(start: str, lower: str, word: str) -> int:
    """Where a word stands as the level of its line; -1 where it does not."""
    place = lower.find(word, 0, _LEVEL_BY)
    while place >= 0:
        end = place + len(word)
        if not start[place - 1 : place].isalpha() and not start[end : end + 1].isalpha():
            return place if _is_level(start, lower, place, end) else -1
        place = lower.find(word, end, _LEVEL_BY)
    return -1


def _is_level(start: str, lower: str, place: int, end: int) -> bool:
    before, after = start[place - 1 : place] if place else "", start[end : end + 1]
    if before == "/":
        return False
    if end - place >= 3 and start[place:end].isupper():
        return True
    if before + after in ("[]", "<>", "()") or lower[:place].rstrip(" \"'=:").endswith(_NAMED):
        return True
    near = start.count(" ", 0, place) < 4
    return near and (after == ":" or start[end : end + 2] == " |")


class Levels:
    """Levels of lines in the order they come. What belongs to a line before, such as a stack trace, has its level."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[int, str, bool]] = {}  # time, level, inside a Python traceback

    def of(self, line: LogLine, text: str) -> tuple[str, bool]:
        """The level, and whether the line goes on with the one before of the same instance and stream."""
        key = (line.instance, line.stream)
        before = self._last.get(key)
        goes_on = before is not None and line.at_ns - before[0] < _TOGETHER_NS and _belongs(text, in_trace=before[2])
        level = before[1] if goes_on and before is not None else level_of(text)
        indented = text[:1] in (" ", "\t")
        in_trace = text.startswith(_TRACE) or bool(before and before[2] and indented)
        self._last[key] = (line.at_ns, level, in_trace)
        return level, goes_on


def _belongs(text: str, *, in_trace: bool) -> bool:
    return bool(_GOES_ON.match(text)) or (in_trace and bool(_TRACE_END.match(text)))
