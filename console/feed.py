"""/ws/v1/feed: what changed of all that a person may see. A message says which thing, never how it is now."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db.models import Q

from console.hub import hub
from console.sockets import Close, Ended, Refuse, Socket
from core import seats
from core.access import Actor, get_visible
from core.connections import keep_fresh
from operations import changes
from operations.changes import News
from tenants.models import Project, Tenant, Token

MOST_WAITING = 200  # for a reader that does not read; after these it is told to read everything again
RESET: dict[str, Any] = {"kind": "reset"}
HELLO: dict[str, Any] = {"kind": "hello"}  # from here on nothing is missed


class Outlet:
    """Sends to a socket from whoever has something to say, without making them wait."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.actor: Actor = socket.visitor.actor
        self.token: Token | None = socket.visitor.token
        self._waiting: list[dict[str, Any]] = []
        self._sending: asyncio.Task[None] | None = None
        self.held = True  # nothing is sent before what was missed has been

    def put(self, message: dict[str, Any]) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            message = RESET | {"seq": message["seq"]} if "seq" in message else RESET
        self._waiting.append(message)
        if not self.held and self._sending is None:
            self._sending = asyncio.ensure_future(self._send())

    def release(self) -> None:
        self.held = False
        if self._waiting and self._sending is None:
            self._sending = asyncio.ensure_future(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting:
                await self.socket.send_json(self._waiting.pop(0))
        except Ended:
            self._waiting.clear()
        finally:
            self._sending = None

    def end(self, code: Close) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = asyncio.ensure_future(self.socket.close(code))

    def prompt(self, is_prompt: bool) -> None:
        self.put({"kind": "prompt" if is_prompt else "slow"})


class FeedListener(Outlet):
    """Narrowed to a tenant or a project where the address names one."""

    def __init__(self, socket: Socket, tenant: UUID | None, project: UUID | None) -> None:
        super().__init__(socket)
        self.tenant, self.project = tenant, project

    @property
    def keys(self) -> frozenset[UUID | None]:
        narrow = self.project or self.tenant
        if narrow is not None:
            return frozenset({narrow, self.actor.id})
        rights = self.actor.rights
        everywhere = {None} if rights.platform else set()
        return frozenset({*rights.tenants, *rights.projects, self.actor.id} | everywhere)

    def wants(self, news: News) -> bool:
        if self.project is not None:
            here = news.project == self.project
        else:
            here = self.tenant is None or news.tenant == self.tenant
        return news.kind != "person" and news.concerns(self.actor) and (here or news.person is not None)

    def hear(self, news: News) -> None:
        self.put(message_of(news))

    def still(self, actor: Actor) -> bool:
        if self.project is not None:
            return actor.rights.allows("project.view", tenant=self.tenant, project=self.project)
        return self.tenant is None or actor.rights.allows("tenant.view", tenant=self.tenant, project=None)

    def narrowed(self) -> Q:
        """Rows it may be told of, as far as columns say so; each is asked for the rights as well."""
        mine = Q(person_id=self.actor.id)
        if self.project is not None:
            return mine | Q(person_id=None, project_id=self.project)
        if self.tenant is not None:
            return mine | Q(person_id=None, tenant_id=self.tenant)
        rights = self.actor.rights
        if rights.platform:
            return mine | Q(person_id=None)
        held = Q(tenant_id__in=list(rights.tenants)) | Q(project_id__in=list(rights.projects))
        return mine | (held & Q(person_id=None))


async def feed(socket: Socket) -> None:
    """Sends {seq, kind, id, ...}: what changed after `last_seq`, then `hello`, then what changes from there on."""
    narrowed = socket.query.get("tenant") or socket.query.get("project")
    tenant, project = await _place(socket.visitor.actor, socket.query) if narrowed else (None, None)
    with seats.taken(socket.visitor.actor.id, tenant, kind="feed"):
        listener = FeedListener(socket, tenant, project)
        try:
            await hub().join(listener)
            for message in await _first_words(listener, number(socket.query.get("last_seq", ""))):
                await socket.send_json(message)
            listener.release()
            await listen_only(socket)
        finally:
            hub().leave(listener)


def message_of(news: News) -> dict[str, Any]:
    """{seq, kind, id}, with the tenant and the project it happened in where it has them."""
    message: dict[str, Any] = {"seq": news.seq, "kind": news.kind, "id": news.id}
    places = {"tenant": news.tenant, "project": news.project}
    return message | {name: str(place) for name, place in places.items() if place is not None}


async def listen_only(socket: Socket) -> None:
    """Until the other end goes; whoever sends something has mistaken the address."""
    await socket.receive()
    raise Refuse(Close.BAD, "Nothing is to be sent here.")


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@sync_to_async
def _place(actor: Actor, query: dict[str, str]) -> tuple[UUID | None, UUID | None]:
    """Tenant and project that the address names; NotFound where they are not to be seen."""
    keep_fresh()
    tenant, project = query.get("tenant", ""), query.get("project", "")
    if project:
        found = get_visible(actor, Project.objects.all(), tenant__name=tenant, name=project, deleted_at=None)
        return found.tenant_id, found.pk
    return get_visible(actor, Tenant.objects.all(), name=tenant).pk, None


async def _first_words(listener: FeedListener, last: int) -> list[dict[str, Any]]:
    """What happened after `last`, once for each thing; `reset` where that is not known any more; then `hello`."""
    here = {"seq": hub().last}
    found: Sequence[News] | None = []
    if last:
        found = hub().since(last, fresh_seconds=changes.fresh().total_seconds())
        found = await _kept(last, listener.narrowed()) if found is None else found
    if found is None:
        return [here | RESET, here | HELLO]
    told = {(news.kind, news.id): news for news in found if listener.wants(news)}
    return [message_of(news) for news in sorted(told.values())] + [here | HELLO]


@sync_to_async
def _kept(last: int, narrowed: Q) -> Sequence[News] | None:
    keep_fresh()
    return changes.since(last, narrowed)
