"""To ask, to take back, to approve and to reject. Each public function is a command."""

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.clock import from_now
from core.errors import Conflict, Denied
from tenants.models import Project, User
from tenants.requests import telling
from tenants.requests.models import OPEN_FOR, Request, still_open
from tenants.requests.registry import KINDS, Payload, Place, kind_named


def _person(actor: Actor) -> User:
    """Whoever acts; what people ask and decide is nothing for Berth itself."""
    if actor.id is None:
        raise Denied()
    return User.objects.get(pk=actor.id)


@command("request.ask", permission="account.own")
def ask(actor: Actor, target: Place, *, kind: str, payload: Payload, reason: str = "") -> Request:
    """Ask for something at a place that others decide; they are told at once.

    Raises Conflict where the same is asked for already.
    """
    found = kind_named(kind)
    subject, checked = found.check(actor, target, payload)
    project = target if isinstance(target, Project) else None
    tenant_id = project.tenant_id if project else target.pk
    Request.objects.filter(kind=kind, subject=subject, tenant_id=tenant_id, state="open", expires_at__lte=Now()).update(
        state=Request.State.EXPIRED
    )
    try:
        with transaction.atomic():
            made = Request.objects.create(
                kind=kind, subject=subject, payload=checked, reason=reason, tenant_id=tenant_id, project=project,
                asked_by=_person(actor), expires_at=from_now(OPEN_FOR),
            )  # fmt: skip
    except IntegrityError:
        message = _("This has been asked for already and waits for an answer.")
        raise Conflict(message, code="asked_already", hint=_("Withdraw the open request first.")) from None
    made.refresh_from_db()
    describe(after={"request": str(made.pk), **checked})
    telling.asked(made)
    return made


@command("request.withdraw", permission="account.own", even_closed=True)
def withdraw(actor: Actor, target: Request) -> Request:
    """Take back what one asked for oneself."""
    if target.asked_by_id != actor.id:
        raise Denied(_("A request is withdrawn by the person who asked."))
    if kind_named(target.kind).refuse:  # a review: it stays until another has looked
        raise Denied(_("A review is not withdrawn."), hint=_("Another owner or an auditor has to look at it."))
    row = _open(target)
    _settle(row, Request.State.WITHDRAWN)
    telling.over(row)
    return row


def _needed(target: Request) -> tuple[str, ...]:
    kind = KINDS.get(target.kind)
    return (kind.permission if kind else "member.manage",)


@command("request.approve", permission=_needed)
def approve(actor: Actor, target: Request, *, reason: str = "") -> Request:
    """Carry out what another person asked for."""
    row = _decided(actor, target, Request.State.APPROVED, reason)
    kind_named(row.kind).decide(actor, row)
    telling.decided(row)
    return row


@command("request.reject", permission=_needed, even_closed=True)
def reject(actor: Actor, target: Request, *, reason: str = "") -> Request:
    row = _decided(actor, target, Request.State.REJECTED, reason)
    if refuse := kind_named(row.kind).refuse:
        refuse(actor, row)
    telling.decided(row)
    return row


def _decided(actor: Actor, target: Request, state: Request.State, reason: str) -> Request:
    """Nobody decides what they asked for; of two who decide at once, the second one is told."""
    if target.asked_by_id == actor.id:
        raise Denied(_("Nobody decides what they asked for."), hint=_("Somebody else who may decide has to."))
    row = _open(target)
    row.decided_by = _person(actor)
    row.decision_reason = reason
    _settle(row, state)
    return row


def _open(target: Request) -> Request:
    """The row, locked, as long as it waits for an answer."""
    rows = Request.objects.select_for_update(of=("self",)).select_related("tenant", "project__tenant", "asked_by")
    row = rows.filter(still_open(), pk=target.pk).first()
    if row is None:
        message = _("This request is not open any more.")
        raise Conflict(message, code="not_open", hint=_("Look at what became of it."))
    return row


def _settle(row: Request, state: Request.State) -> None:
    row.state = state
    changed = {"state": state, "decided_by": row.decided_by, "decision_reason": row.decision_reason}
    Request.objects.filter(pk=row.pk).update(decided_at=Now(), **changed)
    describe(
        before={"state": "open"},
        after={"state": str(state)},
        detail={"request": str(row.pk), "asked_by": row.asked_by.get_username(), **row.payload},
    )
