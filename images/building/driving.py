"""Stands between a builder, which tells by itself, and a worker, which looks at its clock and at its rows meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from backends.contract import Said
from backends.failing import slow

TICK_SECONDS = 1.0
WAIT_SECONDS = 60.0
T = TypeVar("T")


class Drive:
    """One event loop, which runs only while the worker waits."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

    def wait(self, asked: Coroutine[Any, Any, T], *, seconds: float = WAIT_SECONDS) -> T:
        """Errors: DriverError, also where it takes longer."""
        try:
            return self._runner.run(_in_time(asked, seconds))
        except TimeoutError as error:
            raise slow() from error

    def each(self, saying: AsyncGenerator[Said, None]) -> Generator[Said | None, None, None]:
        """What is said; None when for a moment nothing was. Whoever stops listening ends it."""
        task: asyncio.Task[Said] | None = None
        try:
            while True:
                task = task or self._runner.get_loop().create_task(_next(saying))
                self._runner.run(_some_time(task))
                if not task.done():
                    yield None
                    continue
                done, task = task, None
                try:
                    said = done.result()
                except _Over:
                    return
                yield said
        finally:
            self._runner.run(_end(task, saying))


@contextmanager
def drive() -> Iterator[Drive]:
    with asyncio.Runner() as runner:
        yield Drive(runner)


async def _in_time(asked: Coroutine[Any, Any, T], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await asked


async def _next(saying: AsyncGenerator[Said, None]) -> Said:
    try:
        return await anext(saying)
    except StopAsyncIteration:
        raise _Over from None


class _Over(Exception):
    """The end, as a task may tell it."""


async def _some_time(task: asyncio.Task[Said]) -> None:
    await asyncio.wait({task}, timeout=TICK_SECONDS)


async def _end(task: asyncio.Task[Said] | None, saying: AsyncGenerator[Said, None]) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
    await saying.aclose()
