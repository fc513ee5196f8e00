"""A server of a test's own, whose thread ends with it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def accepting(server: socket.socket, serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Gives each caller to `serve`, one after another, until the block ends; gives the server's port.

    Closing alone does not wake a thread in accept(). When a signal then makes it call again, it takes the callers of
    whichever server has the number of that socket by now.
    """

    def run() -> None:
        with suppress(OSError):
            while True:
                serve(server.accept()[0])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        server.close()
