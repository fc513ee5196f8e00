"""Opening, coming back to and ending a console; and the rows that say which are open."""

import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, ObservedInstance
from apps.needs import needs_console
from audit.commands import command, describe
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from backends.contract import InstanceState, Reason, ReasonCode
from backends.words import hint, sentence
from console import registry, tickets
from console.models import ConsoleSession
from console.tickets import Binding
from core import access, seats
from core.access import Actor
from core.clock import from_now
from core.errors import Conflict, FieldProblem, Invalid, NotFound, TooMany

SHELLS = ("sh", "bash", "ash", "zsh")
WORKER = f"{socket.gethostname()}:{os.getpid()}"
LONGEST_REASON = 200
MOST_WAITING = 20
LOST_AFTER = timedelta(minutes=3)  # without a sign of life from its process
KEPT = timedelta(days=90)
CLOSED = register_action("console.closed")
State = ConsoleSession.State


@dataclass(frozen=True)
class Opened:
    """`ticket` is shown once and kept as a hash."""

    console: ConsoleSession
    ticket: str


@command("console.open", permission=needs_console)
def open_console(
    actor: Actor, place: AppEnvironment, *, instance: uuid.UUID, shell: str, reason: str, binding: Binding
) -> Opened:
    """Prepare a console in an instance; the process is started when the ticket is shown at its socket.

    Raises Invalid for a shell that is not allowed and, in a protected environment, for a missing reason; NotFound for
    an instance of elsewhere; Conflict for one that does not run; TooMany.
    """
    _check_words(place, shell, reason)
    row = _running(place, instance)
    describe(detail={"instance": str(row.pk), "service": row.service, "number": row.number})
    _check_room(binding.person, place)
    ticket = tickets.new_text()
    console = ConsoleSession(
        tenant_id=place.tenant_id,
        project_id=place.project_id,
        place=place,
        instance_id=row.pk,
        engine_id=row.engine_id,
        service=row.service,
        number=row.number,
        shell=shell,
        reason=reason.strip(),
        person_id=binding.person,
        person_name=actor.name[:150],
        session_hash=binding.session_hash,
        token_id=binding.token_id,
        address=binding.address,
        language=get_language() or "en",
        ticket_hash=tickets.hashed(ticket),
    )
    console.save(force_insert=True)
    ConsoleSession.objects.filter(pk=console.pk).update(ticket_until=from_now(tickets.VALID))
    describe(detail={"console": str(console.pk)})
    return Opened(console, ticket)


def _check_words(place: AppEnvironment, shell: str, reason: str) -> None:
    problems = []
    if shell not in SHELLS:
        text = _("Choose one of: %(shells)s.") % {"shells": ", ".join(SHELLS)}
        problems.append(FieldProblem("shell", "unknown", text))
    if place.environment.protected and not reason.strip():
        text = _("Say why you need a console here; it is written to the audit.")
        problems.append(FieldProblem("reason", "required", text))
    if len(reason) > LONGEST_REASON:
        text = _("At most %(most)s characters.") % {"most": LONGEST_REASON}
        problems.append(FieldProblem("reason", "too_long", text))
    if problems:
        raise Invalid(errors=problems)


def _running(place: AppEnvironment, instance: uuid.UUID) -> ObservedInstance:
    row = place.observed_instances.filter(pk=instance).first()
    if row is None:
        raise NotFound()
    if row.state != InstanceState.RUNNING:
        gone = Reason(ReasonCode.INSTANCE_GONE)
        raise Conflict(sentence(gone), code="instance_gone", hint=hint(gone))
    return row


def _check_room(person: uuid.UUID, place: AppEnvironment) -> None:
    seats.take(person, place.tenant_id, kind="console").give_back()
    waiting = ConsoleSession.objects.filter(person_id=person, state=State.WAITING, ticket_until__gt=Now())
    if waiting.count() >= MOST_WAITING:
        message = _("You have asked for %(most)s consoles that nobody has joined.") % {"most": MOST_WAITING}
        raise TooMany(message, code="too_many_streams", hint=_("Wait half a minute."), retry_after_seconds=30)


@command("console.return", permission=needs_console)
def return_to(actor: Actor, place: AppEnvironment, *, console: uuid.UUID, binding: Binding) -> Opened:
    """A new ticket for a console of one's own, after a reload or a broken connection. Raises Conflict if it ended."""
    rows = ConsoleSession.objects.filter(place=place, pk=console, person_id=binding.person)
    row = rows.filter(session_hash=binding.session_hash, token_id=binding.token_id).first()
    if row is None:
        raise NotFound()
    ticket = tickets.new_text()
    live = rows.filter(state__in=ConsoleSession.LIVE, end_asked=False)
    fields = {"ticket_hash": tickets.hashed(ticket), "ticket_until": from_now(tickets.VALID)}
    if not live.update(**fields, address=binding.address, language=get_language() or "en"):
        raise Conflict(_("This console has ended."), code="console_ended", hint=_("Open a new one."))
    describe(detail={"console": str(console)})
    return Opened(row, ticket)


@command("console.end", permission=needs_console, even_closed=True)
def end_console(actor: Actor, place: AppEnvironment, *, console: uuid.UUID) -> None:
    """End one's own console; with “project.manage” anybody's. Ending what has ended already does nothing."""
    row = access.get_visible(actor, ConsoleSession.objects.filter(place=place), pk=console)
    describe(detail={"console": str(row.pk), "person": row.person_name})
    if row.person_id != actor.id:
        access.check(actor, "project.manage", row)
    ConsoleSession.objects.filter(pk=row.pk).update(end_asked=True, ticket_hash="")
    if row.state == State.WAITING:
        closed(row.pk, why="asked")
    transaction.on_commit(lambda: registry.ask_to_end(row.pk), robust=True)


def began(console_id: uuid.UUID) -> bool:
    """Its process has started, here. False where somebody has ended the console meanwhile."""
    waiting = ConsoleSession.objects.filter(pk=console_id, state=State.WAITING, end_asked=False)
    return bool(waiting.update(state=State.OPEN, opened_at=Now(), seen_at=Now(), worker=WORKER))


def still_wanted(console_ids: Sequence[uuid.UUID], *, alive: bool) -> set[uuid.UUID]:
    """Those whose end nobody has asked for. `alive`: also note that their processes are here."""
    rows = ConsoleSession.objects.filter(pk__in=console_ids, state=State.OPEN, end_asked=False)
    if alive:
        rows.update(seen_at=Now())
    return set(rows.values_list("pk", flat=True))


def closed(console_id: uuid.UUID, *, why: str, exit_code: int | None = None) -> None:
    """Write the end once, and into the audit: how long it was open, why it ended, and with what code."""
    with transaction.atomic():
        rows = ConsoleSession.objects.filter(pk=console_id, state__in=ConsoleSession.LIVE)
        ended = {"state": State.ENDED, "ended_at": Now(), "why": why, "exit_code": exit_code, "ticket_hash": ""}
        if not rows.update(**ended):
            return
        row = ConsoleSession.objects.select_related("place__app", "place__environment").get(pk=console_id)
        line = Line(CLOSED, detail=_end_of(row))
        line.name_target(row.place)
        record(Actor(row.person_id, row.person_name, address=row.address), line, result=AuditEntry.Result.DONE)


def _end_of(row: ConsoleSession) -> dict[str, object]:
    took = (row.ended_at - row.opened_at).total_seconds() if row.opened_at and row.ended_at else 0
    return {
        "console": str(row.pk),
        "instance": str(row.instance_id),
        "service": row.service,
        "number": row.number,
        "seconds": round(took),
        "why": row.why,
        "exit_code": row.exit_code,
    }


def sweep() -> None:
    """End rows that nobody joined, and those whose process was killed; forget what ended long ago."""
    unused = ConsoleSession.objects.filter(state=State.WAITING).filter(
        Q(ticket_until__lt=Now()) | Q(ticket_until=None, created_at__lt=from_now(-LOST_AFTER))
    )
    for pk in list(unused.values_list("pk", flat=True)):
        closed(pk, why="unused")
    lost = ConsoleSession.objects.filter(state=State.OPEN, seen_at__lt=from_now(-LOST_AFTER))
    for pk in list(lost.values_list("pk", flat=True)):
        closed(pk, why="lost")
    ConsoleSession.objects.filter(state=State.ENDED, ended_at__lt=from_now(-KEPT)).delete()
