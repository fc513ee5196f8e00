"""To begin a review, to answer its lines, to call it off and to close it early. Each public function is a command."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, Denied, FieldProblem, Invalid
from tenants.custom.resolving import roles_at
from tenants.models import Grant, Project, Review, ReviewLine, Tenant, User
from tenants.reviews import deciding, sealing, telling
from tenants.reviews.picture import take_picture
from tenants.services import end_grant

Place = Tenant | Project
LONGEST = timedelta(days=92)
State = ReviewLine.State


@command("review.start", permission="review.manage", even_closed=True)
def start(actor: Actor, target: Place, *, name: str, ends_at: datetime, roles: Sequence[str] = ()) -> Review:
    """Ask everybody who gives roles in a tenant or project whether those that run still should, until a day.

    With `roles` only about these. Raises Conflict where there is nothing to look at.
    """
    project = target if isinstance(target, Project) else None
    tenant = project.tenant_id if project else target.pk
    problems = _problems(tenant, name, ends_at, roles)
    if problems:
        raise Invalid(errors=problems)
    if actor.id is None:
        raise Denied()  # a review is begun by somebody who answers for it
    review = Review.objects.create(
        tenant_id=tenant, project=project, name=name.strip(), ends_at=ends_at,
        roles=sorted(set(roles)), starter=User.objects.get(pk=actor.id), started_by=actor.name,
    )  # fmt: skip
    count = take_picture(review)
    if not count:
        message = _("There is no role here to look at.")
        raise Conflict(message, code="nothing_to_review", hint=_("Take other roles, or another place."))
    review = Review.objects.select_related("tenant", "project").get(pk=review.pk)
    describe(
        after={"review": str(review.pk), "ends_at": str(ends_at), "roles": review.roles, "lines": count},
        detail={"review": str(review.pk)},
    )
    telling.started(review)
    return review


def _problems(tenant: UUID, name: str, ends_at: datetime, roles: Sequence[str]) -> list[FieldProblem]:
    found = []
    if not name.strip():
        found.append(FieldProblem("name", "required", _("Give it a name, such as the quarter.")))
    if not timedelta(0) < ends_at - timezone.now() <= LONGEST:
        message = _("It ends in the future, within %(days)s days.") % {"days": LONGEST.days}
        found.append(FieldProblem("ends_at", "out_of_range", message))
    known = [role.key for role in roles_at(tenant)]
    if unknown := sorted(set(roles) - set(known)):
        message = _("There is no role called %(names)s.") % {"names": ", ".join(unknown)}
        found.append(FieldProblem("roles", "unknown", message))
    return found


@command("review.answer", permission=deciding.needs_of, even_closed=True)
def answer(actor: Actor, target: ReviewLine, *, keep: bool, reason: str = "") -> ReviewLine:
    """Confirm a role, or say why not and end it at once. What is kept may still be ended as long as the review runs."""
    Tenant.objects.select_for_update().get(pk=target.tenant_id)  # the turn of all that gives and takes roles
    line = _line(target)
    _check_answers(actor, line, keep=keep)
    if not keep and not reason.strip():
        raise Invalid(errors=[FieldProblem("reason", "required", _("Say why it ends; it stays on record."))])
    state = State.KEPT if keep else _ended(actor, line)
    ReviewLine.objects.filter(pk=line.pk).update(
        state=state, decided_by=actor.name, decided_at=Now(), decision_reason=reason.strip()
    )
    describe(
        before={"state": line.state},
        after={"state": str(state), "person": line.person, "role": line.role, "place": line.place},
        detail={"review": str(line.review_id), "grant": str(line.grant_id)},
    )
    line.refresh_from_db()
    telling.answered(line)
    return line


def _line(target: ReviewLine) -> ReviewLine:
    """The row as it is now, as long as it can be answered."""
    rows = ReviewLine.objects.select_related(
        "review", "grant__project__tenant", "grant__tenant", "grant__user", "grant__group"
    )
    line = rows.get(pk=target.pk)
    if not Review.objects.filter(pk=line.review_id, state=Review.State.RUNNING, ends_at__gt=Now()).exists():
        message = _("This review is over.")
        raise Conflict(message, code="review_over", hint=_("Look at its result; roles are ended at Members."))
    if line.state not in (State.OPEN, State.KEPT):
        message = _("The role of %(person)s is ended already.") % {"person": line.person}
        raise Conflict(message, code="answered_already", hint=_("Give a new one at Members where that was wrong."))
    if not ReviewLine.objects.filter(deciding.not_over(), pk=line.pk).exists():
        message = _("The role of %(person)s is over by itself.") % {"person": line.person}
        raise Conflict(message, code="grant_over", hint=_("There is nothing to answer."))
    return line


def _check_answers(actor: Actor, line: ReviewLine, *, keep: bool) -> None:
    place = (line.tenant_id, line.project_id, line.role)
    if deciding.own(actor).filter(pk=line.grant_id).exists():
        raise Denied(_("Nobody answers for their own role."), hint=_("Somebody else who gives roles here has to."))
    if deciding.may_confirm(actor, place):
        if not keep:
            message = _("This is the last owner of the tenant.")
            raise Conflict(message, code="last_owner", hint=_("Have somebody else made an owner first."))
        return
    if not deciding.may_answer(actor, place):
        message = _("You answer only for roles that you could give yourself.")
        raise Denied(message, hint=_("An owner can answer this one."), extra={"permission": "member.manage"})


def _ended(actor: Actor, line: ReviewLine) -> State:
    """End the grant as the members' page does; what only the identity service can end is noted for that."""
    grant: Grant = line.grant
    try:
        end_grant(actor, grant.project or line.tenant, grant=grant)
    except Conflict as refused:
        if refused.code != "kept_elsewhere":
            raise
        return State.ELSEWHERE
    return State.ENDED


@command("review.call_off", permission="review.manage", even_closed=True)
def call_off(actor: Actor, target: Review, *, reason: str) -> Review:
    """End a review without ending what nobody answered. What was ended by an answer stays ended."""
    if not reason.strip():
        raise Invalid(errors=[FieldProblem("reason", "required", _("Say why; it stays on record."))])
    review = sealing.locked(target)
    sealed = sealing.seal(review, by=actor.name, state=Review.State.CANCELLED)
    describe(after=sealed, detail={"review": str(review.pk)})
    return review


@command("review.close", permission="review.manage", even_closed=True)
def close(actor: Actor, target: Review) -> Review:
    """Seal the result before its day, once every line is answered."""
    review = sealing.locked(target)
    waiting = ReviewLine.objects.filter(deciding.not_over(), review=review, state=State.OPEN).count()
    if waiting:
        message = _("%(count)s roles still wait for an answer.") % {"count": waiting}
        raise Conflict(message, code="lines_open", hint=_("Answer them, or wait for the day it ends."))
    describe(after=sealing.seal(review, by=actor.name, state=Review.State.CLOSED), detail={"review": str(review.pk)})
    return review
