"""Break-glass: an owner takes a right at once. All who watch over the tenant are told, and a review is forced."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.clock import from_now
from core.errors import Conflict, Denied, FieldProblem, Invalid
from tenants.breakglass import review
from tenants.changes import tell_of
from tenants.giving import check_role, lock_grants
from tenants.models import Grant, Project, Request, User
from tenants.requests import telling
from tenants.rights import running_grants
from tenants.roles import Role

LONGEST_HOURS = 8
SOURCE = "break-glass"
REVIEW_OPEN_FOR = timedelta(days=365)


@command("grant.break_glass", permission="member.manage")
def break_glass(actor: Actor, target: Project, *, role: str, hours: int, reason: str) -> Grant:
    """Give oneself a role of the project for a few hours, without asking first; owners of the tenant only.

    Owners and auditors are told, and one of them who is not the taker has to confirm that it was right.
    """
    lock_grants(actor, target)
    found = check_role(actor, target, role)
    problems = []
    if not reason.strip():
        problems.append(FieldProblem("reason", "required", _("Say why; owners and auditors read it at once.")))
    if not 0 < hours <= LONGEST_HOURS:
        text = _("At most %(most)s hours; ask for longer.") % {"most": LONGEST_HOURS}
        problems.append(FieldProblem("hours", "out_of_range", text))
    if problems:
        raise Invalid(errors=problems)
    owner = _owner(actor, target)
    grant = _taken(owner, target, found, hours, reason.strip())
    request = _review_of(grant, owner, target)
    describe(detail={"grant": str(grant.pk), "review": str(request.pk)}, after={"role": role, "hours": hours})
    tell_of(owner.pk)
    telling.asked(request)
    return grant


def _owner(actor: Actor, target: Project) -> User:
    owners = Grant.objects.filter(running_grants(), tenant=target.tenant_id, project=None, role="tenant.owner")
    if actor.id is None or not owners.filter(user=actor.id).exists():
        raise Denied(_("Only an owner of the tenant takes a right at once."), hint=_("Ask for it instead."))
    return User.objects.get(pk=actor.id)


def _taken(user: User, target: Project, role: Role, hours: int, reason: str) -> Grant:
    try:
        with transaction.atomic():
            made = Grant.objects.create(
                user=user, role=role.key, custom_id=role.custom_id,
                tenant_id=target.tenant_id, project=target, reason=reason, source=SOURCE,
                ends_at=timezone.now() + timedelta(hours=hours), granted_by=user.get_username(),
            )  # fmt: skip
    except IntegrityError:
        message = _("You have this role here already.")
        raise Conflict(message, code="held_already", hint=_("Use it as it is.")) from None
    made.refresh_from_db()
    return made


def _review_of(grant: Grant, owner: User, target: Project) -> Request:
    """What stays under "what needs me" of owners and auditors until one of them has looked at it."""
    made = Request.objects.create(
        kind=review.KIND, subject=f"grant:{grant.pk}", tenant_id=target.tenant_id, project=target,
        asked_by=owner, reason=grant.reason, expires_at=from_now(REVIEW_OPEN_FOR),
        payload={"role": grant.role, "grant": str(grant.pk)},
    )  # fmt: skip
    Grant.objects.filter(pk=grant.pk).update(request=made)
    made.refresh_from_db()
    return made
