"""Long lists, a page at a time: of each thing only what a look needs is kept, and the rest let go of at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import orjson

from backends.failing import NO_ENGINE, away
from backends.kubernetes.trimming import Trimmed, trimmed

SIZE = 500


@dataclass(frozen=True)
class Page:
    """`things` by their ids; `more`: where the next page begins, "" behind the last; `version`: of the whole list."""

    things: dict[str, Trimmed]
    more: str
    version: str


def asked(more: str, selector: str | None) -> dict[str, Any]:
    """The query for the page that begins there."""
    return {"limit": SIZE, "labelSelector": selector, **({"continue": more} if more else {})}


def page_of(kind: str, told: bytes) -> Page:
    """Errors: ENGINE_AWAY for what no API of this kind says."""
    try:
        with _uncollected():
            return _read(kind, told)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise away(NO_ENGINE) from error


def _read(kind: str, told: bytes) -> Page:
    """What was read is let go of when this returns, before anybody looks for cycles in it."""
    answer = orjson.loads(told)
    things = {thing["metadata"]["uid"]: trimmed(kind, thing) for thing in answer["items"]}
    about = answer["metadata"]
    return Page(things, about.get("continue") or "", str(about["resourceVersion"]))


class _Collector:
    """Holds Python's search for cycles while pages are read: they have none, are gone in a moment, and would have it
    walk through everything the process holds again and again, which costs more than all the reading.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._readers = 0

    def hold(self) -> None:
        with self._lock:
            self._readers += 1
            gc.disable()

    def release(self) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                gc.enable()


_collector = _Collector()


@contextmanager
def _uncollected() -> Iterator[None]:
    _collector.hold()
    try:
        yield
    finally:
        _collector.release()
