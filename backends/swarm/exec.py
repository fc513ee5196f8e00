"""A process inside an instance.

The engine does not end a process when its connection closes. So each session carries a token in its environment,
which everything it starts inherits; closing looks for the token among the instance's processes and ends what has it.
"""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress

from backends.contract import DriverError, Reason, ReasonCode
from backends.failing import gone, slow
from backends.hunt import HUNT
from backends.swarm.errors import RefusedError
from backends.swarm.frames import Splitter
from backends.swarm.places import own_container
from backends.swarm.wire import PIECE, Stream, Wire

_TOKEN = "BERTH_CONSOLE"  # noqa: S105 - the name of a variable
_END_SECONDS = 10.0
_RESIZE_TRIES = 20
_RESIZE_WAIT_SECONDS = 0.05
_RUNTIME_SAYS = b"OCI runtime exec failed"
_AHEAD = 32 * 1024  # of unread output that is held here: who does not read must not fill our memory
_NOT_STARTED = (126, 127)  # what the engine reports when it could not start the command


async def start(
    wire: Wire, instance: str, command: Sequence[str], *, tty: bool, columns: int, rows: int
) -> "SwarmExec":
    """Errors: INSTANCE_GONE, HOST_NOT_REACHABLE, NO_SHELL (there is no such command in the image)."""
    container = await own_container(wire, instance)
    token = f"{_TOKEN}={secrets.token_hex(16)}"
    body = {
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": tty,
        "Cmd": list(command),
        "Env": [token, *(["TERM=xterm-256color"] if tty else [])],
    }
    try:
        made, about = await asyncio.gather(
            wire.post(f"/containers/{container}/exec", body), wire.get(f"/containers/{container}/json")
        )
        stream = await wire.hijack(f"/exec/{made['Id']}/start", {"Detach": False, "Tty": tty}, ahead=_AHEAD)
    except RefusedError as error:
        raise _not_started(error, command) from error
    session = SwarmExec(wire, container, made["Id"], stream, token=token, tty=tty, user=about["Config"]["User"])
    try:
        await session.started(command, columns=columns, rows=rows)
    except (DriverError, asyncio.CancelledError):
        with suppress(DriverError):  # what failed first is what to tell
            await session.close()
        raise
    return session


class SwarmExec:
    def __init__(
        self, wire: Wire, container: str, id_: str, stream: Stream, *, token: str, tty: bool, user: str
    ) -> None:
        self.user = user
        self._wire = wire
        self._container = container
        self._id = id_
        self._stream = stream
        self._token = token
        self._tty = tty
        self._splitter = Splitter()
        self._ready = bytearray()
        self._early = b""  # read before anybody asked
        self._closed = False

    async def __aenter__(self) -> "SwarmExec":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def started(self, command: Sequence[str], *, columns: int, rows: int) -> None:
        """The engine answers before the process is there; wait for it, and give the terminal its size."""
        for _ in range(_RESIZE_TRIES):
            about = await self._about()
            if not about["Running"] and about["ExitCode"] in _NOT_STARTED and not about["Pid"]:
                await self._check_started(command)
                return
            if about["Running"] and about["Pid"]:
                if self._tty:
                    await self.resize(columns=columns, rows=rows)
                return
            if about["ExitCode"] is not None:
                return
            await asyncio.sleep(_RESIZE_WAIT_SECONDS)

    async def _check_started(self, command: Sequence[str]) -> None:
        """A command may end so by itself; only if it never ran, the engine has written why in its stead."""
        while piece := await self._stream.read():
            self._early += piece
        if _RUNTIME_SAYS in self._early:
            raise _no_such(command)

    async def _piece(self, limit: int) -> bytes:
        if self._early:
            taken, self._early = self._early[:limit], self._early[limit:]
            return taken
        return await self._stream.read(limit)

    async def read(self, limit: int = 65536) -> bytes:
        if self._tty:
            return await self._piece(limit)
        while not self._ready:
            piece = await self._piece(PIECE)
            if not piece:
                return b""
            for _, payload in self._splitter.frames(piece):
                self._ready += payload
        taken = bytes(self._ready[:limit])
        del self._ready[:limit]
        return taken

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def end_input(self) -> None:
        if not self._stream.end_input() and self._tty:
            await self._stream.write(b"\x04")

    async def resize(self, *, columns: int, rows: int) -> None:
        """Of a process that has ended meanwhile: nothing happens."""
        try:
            await self._wire.post(f"/exec/{self._id}/resize", None, h=rows, w=columns)
        except RefusedError as error:
            if (await self._about())["Running"]:
                raise error

    async def exit_code(self) -> int | None:
        about = await self._about()
        return None if about["Running"] else about["ExitCode"]

    async def close(self) -> None:
        """Returns when all that the session started has ended. Errors: ENGINE_AWAY, ENGINE_SLOW; then try again.

        The stream stays open until then: what pours out stands still while nobody reads it, but a closed stream the
        engine reads for itself, as fast as it can.
        """
        if self._closed:
            return
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._hunt()
        except RefusedError as error:
            if error.status not in {404, 409}:  # the instance itself has ended, and everything with it
                raise
        except TimeoutError as error:
            raise slow() from error
        finally:
            self._stream.close()
        self._closed = True

    async def _hunt(self) -> None:
        body = {
            "AttachStdout": True,
            "AttachStderr": True,
            "Cmd": ["sh", "-c", HUNT, "sh", self._token],
        }
        made = await self._wire.post(f"/containers/{self._container}/exec", body)
        stream = await self._wire.hijack(f"/exec/{made['Id']}/start", {"Detach": False, "Tty": False})
        try:
            while await stream.read():
                pass
        finally:
            stream.close()

    async def _about(self) -> dict[str, int]:
        try:
            told: dict[str, int] = await self._wire.get(f"/exec/{self._id}/json")
        except RefusedError as error:
            if error.status == 404:
                raise gone() from error
            raise
        return told


def _no_such(command: Sequence[str]) -> DriverError:
    return DriverError(Reason(ReasonCode.NO_SHELL, {"command": command[0] if command else ""}), permanent=True)


def _not_started(error: RefusedError, command: Sequence[str]) -> DriverError:
    if error.status == 404 or "is not running" in error.said:
        return gone()
    if "executable file not found" in error.said or "no such file or directory" in error.said:
        return _no_such(command)
    return error
