"""What a cluster holds, as its watch tells it: looks read this instead of asking for everything again.

Whoever watches lists a kind once, keeps of each thing what a look reads, and then changes it as events come in. It
counts only while the stream of its kind is there: without one, a look asks the engine itself.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from backends.kubernetes import names
from backends.kubernetes.trimming import Trimmed, trimmed

Raw = Mapping[str, Any]

FULL_PASS_SECONDS = 600.0
SELECTORS = {
    "Pod": None,  # those of others take room on hosts, too
    "Node": None,
    "Deployment": names.OURS,
    "StatefulSet": names.OURS,
    "Service": names.OURS,
}


@dataclass
class Shelf:
    """All of a kind. `version`: up to where the engine has told; "": nothing yet, or it has to be listed anew."""

    version: str = ""
    things: dict[str, Trimmed] = field(default_factory=dict)
    listed_at: float = 0.0
    live: bool = False  # its stream is there
    trusted: bool = True  # until somebody doubts it: then not before it was listed again


class Store:
    """Of one cluster; written by whoever watches, read by looks in threads of their own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._shelves = {kind: Shelf() for kind in SELECTORS}

    def version(self, kind: str) -> str:
        """Where its watch goes on."""
        return self._shelves[kind].version

    def due(self, kind: str) -> float:
        """Seconds until it is to be listed again; none are left where it never was."""
        shelf = self._shelves[kind]
        return max(0.0, shelf.listed_at + FULL_PASS_SECONDS - time.monotonic()) if shelf.version else 0.0

    def fill(self, kind: str, things: Mapping[str, Trimmed], version: str) -> None:
        with self._lock:
            self._shelves[kind] = Shelf(version, dict(things), time.monotonic())

    def note(self, kind: str, event: Raw) -> None:
        """Of a thing that came, changed or went; a bookmark only says how far that is."""
        what, thing = event["type"], event["object"]
        about = thing["metadata"]
        version = str(about["resourceVersion"])
        kept = trimmed(kind, thing) if what in ("ADDED", "MODIFIED") else None
        with self._lock:
            shelf = self._shelves[kind]
            shelf.version = version
            if kept is not None:
                shelf.things[about["uid"]] = kept
            elif what == "DELETED":
                shelf.things.pop(about["uid"], None)

    def opened(self, kind: str) -> None:
        self._shelves[kind].live = True

    def broke(self, kind: str) -> None:
        self._shelves[kind].live = False

    def forget(self, kind: str) -> None:
        """The engine does not know what came after."""
        with self._lock:
            self._shelves[kind] = Shelf()

    def doubt(self) -> None:
        """What it holds is not to be believed: looks ask the engine until everything was listed again."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.trusted = False

    def all(self, kind: str) -> list[Trimmed] | None:
        """None: it is not known here."""
        with self._lock:
            shelf = self._shelves[kind]
            return list(shelf.things.values()) if shelf.live and shelf.trusted else None
