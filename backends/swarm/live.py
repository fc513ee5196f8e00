"""Following the logs of this engine's instances."""

from collections.abc import AsyncGenerator

from backends.contract import LogLine, LogQuery
from backends.following import Follow
from backends.following import followed as follow
from backends.merging import Resume
from backends.swarm.places import Map, Place
from backends.swarm.source import Source
from backends.swarm.wire import Wire


def followed(
    wire: Wire, query: LogQuery, resumes: dict[str, Resume], *, done: set[str]
) -> AsyncGenerator[LogLine, None]:
    """From where `resumes` stands; `done` are instances of which all is read. Ends only with a named instance."""
    where = Map(wire)

    async def look() -> list[Place]:
        if query.instance is not None:
            return [await where.of_instance(query.instance)]
        return [place for ref in query.services for place in await where.of_service(ref)]

    def read(place: Place, first: bool) -> AsyncGenerator[list[LogLine], None]:
        asked = query
        if not first:  # it came later: all of it is news
            asked = LogQuery(services=query.services, instance=query.instance, since=query.since, follow=True)
        return Source(wire, place, asked, resumes.setdefault(place.id, Resume()), follow=True).batches()

    return follow(Follow(look, read, query.instance), first=set(resumes), done=done)
