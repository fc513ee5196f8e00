"""What a console says, for tests of every driver."""

import asyncio
from contextlib import suppress

from backends.contract import ExecSession
from tests.backends.world import PATIENCE_SECONDS


class Listening:
    async def hear_in_the_end(self, session: ExecSession, question: bytes, words: bytes) -> None:
        """Ask until that is the answer: an engine may take a moment to do what it was told."""
        heard = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while words not in heard:
                await session.write(question)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        while words not in heard:
                            heard += await session.read()

    async def hear(self, session: ExecSession, words: bytes | None) -> bytes:
        """Read until the words were said, or (None) until the end."""
        heard = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while words is None or words not in heard:
                piece = await session.read()
                if not piece:
                    assert words is None, f"ended after {heard!r}"
                    break
                heard += piece
        return heard
