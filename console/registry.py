"""The consoles whose process is held by this process of ours."""

import asyncio
import uuid
from typing import Protocol


class Held(Protocol):
    """What a console must offer to whoever finds it here."""

    def ask_to_end(self) -> None: ...

    async def leave(self) -> None: ...


_held: dict[uuid.UUID, tuple[Held, asyncio.AbstractEventLoop]] = {}


def hold(console_id: uuid.UUID, one: Held) -> None:
    _held[console_id] = (one, asyncio.get_running_loop())


def let_go_of(console_id: uuid.UUID) -> None:
    _held.pop(console_id, None)


def found(console_id: uuid.UUID) -> Held | None:
    """The console, if it is held here and by the running loop."""
    one, loop = _held.get(console_id, (None, None))
    return one if loop is asyncio.get_running_loop() else None


def ask_to_end(console_id: uuid.UUID) -> None:
    """From any thread. What another process holds learns it from the row within seconds."""
    if console_id in _held:
        one, loop = _held[console_id]
        loop.call_soon_threadsafe(one.ask_to_end)


async def leave_all() -> None:
    """This process of ours ends: so do its consoles, and nothing of them stays in an instance."""
    await asyncio.gather(*(one.leave() for one, loop in list(_held.values()) if loop is asyncio.get_running_loop()))
