"""A process inside an instance, over one websocket with a channel each for input, output, errors, its end and its size.

The engine does not end a process when its connection closes. So each session carries a token in its environment,
which everything it starts inherits; closing looks for the token among the instance's processes and ends what has it.
"""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import orjson

from backends.contract import DriverError, InstanceState, Reason, ReasonCode
from backends.failing import away, gone, slow
from backends.hunt import HUNT
from backends.kubernetes import names
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.places import Place, of_instance
from backends.kubernetes.wire import Socket, Wire

_TOKEN = "BERTH_CONSOLE"  # noqa: S105 - the name of a variable
_START_SECONDS = 10.0
_END_SECONDS = 10.0
_INPUT, _OUTPUT, _ERRORS, _END, _SIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_MARK = b"\036"
_MISSING = b"missing"
_AT_WORK = {InstanceState.STARTING, InstanceState.RUNNING}

# The engine takes no environment for a process, so a shell sets it and becomes the process. It says as whom it runs,
# or that there is no such command, between two marks, before anything else. Some shells are themselves the commands
# they know and do not start them anew, with what was set in their environment; `env` does.
_BEGIN = r"""
mark=$1; rows=$2; columns=$3; shift 3
export BERTH_CONSOLE="$mark"
command -v "$1" >/dev/null 2>&1 || { printf '\036missing\036'; exit 127; }
if [ "$rows" -gt 0 ]; then export TERM=xterm-256color; stty rows "$rows" cols "$columns" 2>/dev/null; fi
printf '\036%s\036' "$(id -u 2>/dev/null)"
command -v env >/dev/null 2>&1 && exec env "$@"
exec "$@"
"""


async def start(
    wire: Wire, instance: str, command: Sequence[str], *, tty: bool, columns: int, rows: int
) -> "KubernetesExec":
    """Errors: INSTANCE_GONE, NO_SHELL (there is no such command in the image, or no shell at all)."""
    place = await of_instance(wire, instance)
    if not place.newest or place.run.instance.state not in _AT_WORK:
        raise gone()
    token = secrets.token_hex(16)
    size = (str(rows), str(columns)) if tty else ("0", "0")
    words = ["sh", "-c", _BEGIN, "sh", token, *size, *command]
    session = KubernetesExec(wire, place, await _open(wire, place, words, tty=tty, input_=True), token=token, tty=tty)
    try:
        if tty:
            await session.resize(columns=columns, rows=rows)
        async with asyncio.timeout(_START_SECONDS):
            await session.started(command)
    except TimeoutError as error:
        await session.close()
        raise slow() from error
    except (DriverError, asyncio.CancelledError):
        with suppress(DriverError):  # what failed first is what to tell
            await session.close()
        raise
    return session


async def _open(wire: Wire, place: Place, words: Sequence[str], *, tty: bool, input_: bool) -> Socket:
    asked = {"container": names.CONTAINER, "stdin": input_, "stdout": True, "stderr": not tty, "tty": tty}
    try:
        return await wire.socket(f"{place.path}/exec", command=words, **asked)
    except RefusedError as error:
        if error.status == 404:
            raise gone() from error
        raise


class KubernetesExec:
    def __init__(self, wire: Wire, place: Place, socket: Socket, *, token: str, tty: bool) -> None:
        self.user = ""
        self._wire = wire
        self._place = place
        self._socket = socket
        self._token = token
        self._tty = tty
        self._ready = bytearray()
        self._code: int | None = None
        self._over = False
        self._closed = False

    async def __aenter__(self) -> "KubernetesExec":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def started(self, command: Sequence[str]) -> None:
        """Reads what the shell says before it becomes the command."""
        while self._ready.count(_MARK) < 2 and await self._more():
            pass
        before, _, rest = bytes(self._ready).partition(_MARK)
        said, mark, rest = rest.partition(_MARK)
        if not mark:
            raise away("the console ended before it began") if self._code is None else _no_such("sh")
        if said == _MISSING:
            raise _no_such(command[0] if command else "")
        self.user = said.decode(errors="replace").strip()
        self._ready = bytearray(before + rest)

    async def _more(self) -> bool:
        """Takes in what comes next. False: nothing comes any more."""
        message = None if self._over else await self._socket.receive()
        if message is None:
            self._over = True
            return False
        channel, data = message
        if channel in (_OUTPUT, _ERRORS):
            self._ready += data
        elif channel == _END:
            self._code = code_of(data)
        return True

    async def read(self, limit: int = 65536) -> bytes:
        while not self._ready:
            if not await self._more():
                return b""
        taken = bytes(self._ready[:limit])
        del self._ready[:limit]
        return taken

    async def write(self, data: bytes) -> None:
        await self._socket.send(_INPUT, data)

    async def end_input(self) -> None:
        await self._socket.send(_CLOSE, bytes([_INPUT]))

    async def resize(self, *, columns: int, rows: int) -> None:
        """Of a process that has ended meanwhile: nothing happens."""
        if not self._over:
            await self._socket.send(_SIZE, orjson.dumps({"Width": columns, "Height": rows}))

    async def exit_code(self) -> int | None:
        return self._code

    async def close(self) -> None:
        """Returns when all that the session started has ended. Errors: ENGINE_AWAY, ENGINE_SLOW; then try again.

        The socket stays open until then: what pours out stands still while nobody reads it.
        """
        if self._closed:
            return
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._hunt()
        except RefusedError as error:
            if error.status not in {400, 404, 500}:  # the instance itself has ended, and everything with it
                raise
        except TimeoutError as error:
            raise slow() from error
        except DriverError as error:
            if error.reason.code != ReasonCode.INSTANCE_GONE:
                raise
        finally:
            await self._socket.close()
        self._closed = True

    async def _hunt(self) -> None:
        words = ["sh", "-c", HUNT, "sh", f"{_TOKEN}={self._token}"]
        socket = await _open(self._wire, self._place, words, tty=False, input_=False)
        try:
            while await socket.receive() is not None:
                pass
        finally:
            await socket.close()


def _no_such(command: str) -> DriverError:
    return DriverError(Reason(ReasonCode.NO_SHELL, {"command": command}), permanent=True)


def code_of(told: bytes) -> int:
    """The exit code in the Status that ends a session; 126 where the engine could not run it at all."""
    status: dict[str, Any] = orjson.loads(told)
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or ()
    codes = [cause.get("message", "") for cause in causes if cause.get("reason") == "ExitCode"]
    return int(codes[0]) if codes and str(codes[0]).isdigit() else 126
