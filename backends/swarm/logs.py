"""Logs of services: each instance read from its own container, merged in time order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from backends.contract import LogLine, LogQuery, Written
from backends.merging import Resume, merged, newest
from backends.swarm.live import followed
from backends.swarm.places import Map, Place
from backends.swarm.source import READ_SECONDS, PlainText, Source, path_of, second
from backends.swarm.wire import Wire

_PIECE = 64 * 1024


async def lines(wire: Wire, query: LogQuery) -> AsyncGenerator[LogLine, None]:
    """Errors: INSTANCE_GONE for a named instance that is not known, and those of an engine that is away."""
    places = await asked_for(Map(wire), query)
    resumes = {place.id: Resume() for place in places}
    if query.tail != 0:
        sources = [Source(wire, place, query, resumes[place.id]).batches() for place in places]
        async with aclosing(newest(merged(sources), query.newest)) as past:
            async for line in past:
                yield line
    if query.follow:
        done = {place.id for place in places if not place.run.alive}
        async with aclosing(followed(wire, query, resumes, done=done)) as live:
            async for line in live:
                yield line


async def asked_for(where: Map, query: LogQuery) -> list[Place]:
    if query.instance is not None:
        return [await where.of_instance(query.instance)]
    found = await asyncio.gather(*(where.of_service(ref) for ref in query.services))
    return [place for places in found for place in places]


async def plain(wire: Wire, instance: str, written: Written) -> AsyncGenerator[bytes, None]:
    """As the app wrote it, in pieces of 64 KB and more; followed, as it comes. Errors: INSTANCE_GONE."""
    place = await Map(wire).of_instance(instance)
    asked: dict[str, Any] = {"stdout": True, "stderr": True, "follow": written.follow or None}
    asked |= {"timestamps": written.timestamps, "since": second(written.since), "until": second(written.until)}
    text = PlainText(timestamps=written.timestamps)
    least = 1 if written.follow else _PIECE
    held: list[bytes] = []
    size = 0
    async with wire.stream(path_of(place), **asked) as stream:
        while True:
            async with asyncio.timeout(None if written.follow else READ_SECONDS):
                piece = await stream.read()
            if not piece:
                break
            found = text.of(piece)
            held.append(found)
            size += len(found)
            if size >= least:
                yield b"".join(held)
                held, size = [], 0
    if held:
        yield b"".join(held)
