"""Between the portal and its private engine's socket: notes when which call came, and changes nothing."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import Wrong
from benchmarks.portal import Portal
from launcher.portal import Place, Server
from launcher.processes import until

PIECE = 1 << 16
SEEN_SECONDS = 60.0
CALL = re.compile(rb"(GET|HEAD|POST|PUT|DELETE) (\S+) HTTP/1\.1\r\n")
# of one app; whoever looks at the whole cluster asks for none of these
OF_ONE = re.compile(r"^(/v[\d.]+)?/(images/|distribution/|networks|services/)")


@dataclass
class Calls:
    told: list[tuple[float, str]] = field(default_factory=list)

    def first_after(self, moment: float) -> float:
        """When the first call about an app came."""
        found = [at for at, path in list(self.told) if at >= moment and OF_ONE.match(path)]
        return min(found)


@contextmanager
def tapped(portal: Portal) -> Iterator[Calls]:
    """The portal is started anew meanwhile and afterwards, so that each of its connections passes here, then none."""
    path = Path(portal.docker[2].removeprefix("unix://"))
    real, calls = path.with_name("real.sock"), Calls()
    path.rename(real)
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(path))
            listener.listen(64)
            threading.Thread(target=_accept, args=(listener, real, calls), daemon=True).start()
            restart(portal)
            yield calls
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave the thread in accept()
            real.rename(path)  # in the listener's place
            restart(portal)


def restart(portal: Portal) -> None:
    """The portal alone; its engine goes on."""
    server = Server(portal.state)
    server.stop()
    server.start(Place("127.0.0.1", portal.port))
    if not until(lambda: seen_engine(portal), seconds=SEEN_SECONDS, every=0.2):
        raise Wrong("the portal did not see its engine")


def seen_engine(portal: Portal) -> bool:
    return bool(portal.client().get("/api/v1/clusters/local").json()["state"] == "ready")


def _accept(listener: socket.socket, real: Path, calls: Calls) -> None:
    with suppress(OSError):  # closed at the end
        while True:
            near, _address = listener.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(real))
            threading.Thread(target=_pass, args=(near, far, calls), daemon=True).start()
            threading.Thread(target=_pass, args=(far, near, None), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, calls: Calls | None) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            if calls is not None and (found := CALL.match(piece)):
                calls.told.append((time.time(), found[2].decode()))
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
