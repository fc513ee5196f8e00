"""The engine's own builder: one call that takes the sources and says what it does until the image is there."""

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import orjson

from backends.contract import OWNER_LABEL, Builder, DriverError, Entry, Ground, Order, Readable, Said
from backends.failing import shortened
from backends.swarm.errors import RefusedError, image_refused, refused
from backends.swarm.wire import Stream, Wire

LONGEST_MESSAGE = 1024 * 1024
CPU_PERIOD = 100_000  # microseconds
OF_SERVICES = "com.docker.swarm.service.id"
NO_NETWORK, OWN_NETWORK = "none", "bridge"


class EngineBuilder(Builder):
    """Where the same steps were done before they are taken over only from the image that the order names: the engine
    looks through its whole store otherwise, whoever made what lies there."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def fetch(self, reference: str, entry: Entry | None) -> Ground:
        name, _at, digest = reference.partition("@")
        if not digest:
            name, _colon, digest = reference.rpartition(":")
        asked: dict[str, Any] = {"fromImage": name, "tag": digest}
        try:
            async with aclosing(self._told("/images/create", headers=_shown(entry), **asked)) as messages:
                async for message in messages:
                    if said := _failure(message):
                        raise refused(500, said)
        except DriverError as error:
            raise image_refused(error, image=reference) from error
        found = await self.look(reference)
        if found is None:
            raise image_refused(refused(404, "not found"), image=reference)
        return found

    async def look(self, image: str) -> Ground | None:
        try:
            found = await self._wire.get(f"/images/{image}/json")
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        return Ground(found["Id"], tuple((found.get("Config") or {}).get("OnBuild") or ()))

    async def build(self, order: Order, sources: Readable, size: int) -> AsyncGenerator[Said, None]:
        headers = {"Content-Type": "application/x-tar"}
        asked = _asked(order)
        async with aclosing(self._told("/build", body=sources, size=size, headers=headers, **asked)) as messages:
            image = ""
            async for message in messages:
                if said := _failure(message):
                    yield Said(failed=said)
                    return
                image = str((message.get("aux") or {}).get("ID") or image)
                if text := message.get("stream"):
                    yield Said(text=str(text))
        yield Said(image=image) if image else Said(failed="the builder ended without an image")

    async def push(self, image: str, repository: str, tag: str, entry: Entry) -> AsyncGenerator[Said, None]:
        await self._wire.post(f"/images/{image}/tag", None, repo=repository, tag=tag)
        digest = ""
        try:
            path = f"/images/{repository}/push"
            async with aclosing(self._told(path, headers=_shown(entry), tag=tag)) as messages:
                async for message in messages:
                    if said := _failure(message):
                        yield Said(failed=said)
                        return
                    digest = str((message.get("aux") or {}).get("Digest") or digest)
                    if text := message.get("status"):
                        yield Said(text=_progress(message, str(text)))
        finally:
            await self._drop(f"{repository}:{tag}")  # it has another name; this one is only for the way
        yield Said(digest=digest) if digest else Said(failed="the registry named no digest")

    async def written(self, owner: str) -> int:
        found = await self._wire.get("/containers/json", size=True, filters={"label": [f"{OWNER_LABEL}={owner}"]})
        return sum(int(one.get("SizeRw") or 0) for one in found if OF_SERVICES not in (one.get("Labels") or {}))

    async def tidy(self, owner: str) -> int:
        asked = {"dangling": ["true"], "label": [f"{OWNER_LABEL}={owner}"]}
        found = await self._wire.get("/images/json", filters=asked)
        return sum([not await self._drop(one["Id"]) for one in found])

    async def named(self) -> Mapping[str, str]:
        found = await self._wire.get("/images/json", filters={"label": [OWNER_LABEL]})
        return {name: one["Labels"][OWNER_LABEL] for one in found for name in one.get("RepoTags") or ()}

    async def forget(self, name: str) -> bool:
        return await self._drop(name)

    async def _drop(self, image: str) -> bool:
        """False for what is still needed, by the engine's own word."""
        try:
            await self._wire.delete(f"/images/{image}")
        except RefusedError as error:
            return error.status == 404
        return True

    async def _told(
        self, path: str, *, body: Readable | None = None, size: int = 0, headers: Mapping[str, str], **asked: Any
    ) -> AsyncGenerator[dict[str, Any], None]:
        async with self._wire.sent(path, body=body, size=size, headers=headers, **asked) as stream:
            async for line in _lines(stream):
                message = orjson.loads(line)
                if isinstance(message, dict):
                    yield message


async def _lines(stream: Stream) -> AsyncIterator[bytes]:
    rest = b""
    while piece := await stream.read():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(rest) > LONGEST_MESSAGE:
            raise refused(500, "the engine says more at once than was expected")
    if rest.strip():
        yield rest


def _asked(order: Order) -> dict[str, Any]:
    return {
        "dockerfile": order.recipe,
        "t": order.name,
        "version": "1",
        "rm": True,
        "forcerm": True,
        "nocache": not order.upon,
        "cachefrom": orjson.dumps([order.upon]).decode() if order.upon else None,
        "memory": order.memory_bytes,
        "memswap": order.memory_bytes,  # none beside the memory itself
        "cpuperiod": CPU_PERIOD,
        "cpuquota": order.cpu_millicores * CPU_PERIOD // 1000,
        "networkmode": OWN_NETWORK if order.network else NO_NETWORK,
        "buildargs": dict(order.arguments),
    }


def _shown(entry: Entry | None) -> dict[str, str]:
    told = {"registrytoken": entry.token.reveal(), "serveraddress": entry.registry} if entry else {}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(orjson.dumps(told)).decode()}


def _failure(message: Mapping[str, Any]) -> str:
    detail = message.get("errorDetail") or {}
    said = detail.get("message") if isinstance(detail, dict) else ""
    return shortened(str(said or message.get("error") or ""))


def _progress(message: Mapping[str, Any], text: str) -> str:
    """Bars are for terminals; what is told of each layer once is enough."""
    if message.get("progressDetail"):
        return ""
    layer = message.get("id")
    return f"{layer}: {text}\n" if layer else f"{text}\n"
