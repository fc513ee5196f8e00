"""Where the gate stands, and what is behind it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Places:
    """`registry` is HOST:PORT, or the path of a socket. `berth` is the address that is asked.

    `collect` is the command that takes out of `stored` what nothing names any more; empty: not here.
    `lock` is a file that whoever collects holds.
    """

    host: str
    port: int
    registry: str
    berth: str
    shown: str = field(repr=False)
    collect: tuple[str, ...] = ()
    stored: str = ""
    lock: str = ""

    @classmethod
    def read(cls, told: dict[str, Any]) -> "Places":
        """As it stands in the file. `shown` may be a file's name, as `shown_file`."""
        host, _colon, port = str(told["listen"]).rpartition(":")
        shown = told.get("shown") or Path(told["shown_file"]).read_text().strip()
        if not shown:
            raise ValueError("what Berth and the gate show each other is empty")
        return cls(
            host=host.strip("[]"),
            port=int(port),
            registry=str(told["registry"]),
            berth=str(told["berth"]),
            shown=str(shown),
            collect=tuple(told.get("collect") or ()),
            stored=str(told.get("stored") or ""),
            lock=str(told.get("lock") or ""),
        )
