"""To invite, to take an invitation back, and to accept one. Each public function is a command."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.clock import from_now
from core.errors import Conflict, Denied, FieldProblem, Invalid
from core.secrets import Secret
from tenants.giving import Place, check_role, lock_grants
from tenants.invitations.links import new_link
from tenants.models import Grant, Invitation, Project, User
from tenants.rights import actor_now
from tenants.services import give_grant

GOOD_FOR = timedelta(days=7)


@command("invitation.make", permission="member.manage")
def invite(
    actor: Actor, target: Place, *, person: str, role: str, ends_at: datetime | None = None, reason: str = ""
) -> tuple[Invitation, Secret]:
    """A link that gives whoever comes with it the role, once, within a week. Its text is shown this once only."""
    lock_grants(actor, target)
    check_role(actor, target, role)
    if actor.id is None:
        raise Denied()
    if not person.strip():
        raise Invalid(errors=[FieldProblem("person", "required", _("Say whom it is for."))])
    project = target if isinstance(target, Project) else None
    secret, digest = new_link()
    made = Invitation(
        tenant_id=project.tenant_id if project else target.pk, project=project, role=role, person=person.strip(),
        ends_at=ends_at, reason=reason, digest=digest, invited_by_id=actor.id, expires_at=from_now(GOOD_FOR),
    )  # fmt: skip
    made.save(force_insert=True)
    made.refresh_from_db()
    describe(detail={"invitation": str(made.pk)}, after={"person": made.person, "role": role})
    return made, secret


@command("invitation.revoke", permission="member.manage", even_closed=True)
def revoke_invitation(actor: Actor, target: Invitation) -> None:
    """Its link opens nothing any more."""
    if not _waiting(target).update(revoked_at=Now()):
        raise Conflict(_("This invitation is over."), code="not_open", hint=_("Make a new one if it is needed."))
    describe(before={"person": target.person, "role": target.role})


@command("invitation.accept", permission="account.own")
def accept(actor: Actor, target: Invitation) -> Grant:
    """Take the role that the invitation holds ready, as far as whoever invited may still give it."""
    if actor.id is None:
        raise Denied()
    user = User.objects.get(pk=actor.id)
    if not _waiting(target).update(accepted_at=Now(), accepted_by=user):
        message = _("This invitation was used already, or is over.")
        raise Conflict(message, code="not_open", hint=_("Ask whoever sent it for a new one."))
    describe(detail={"invitation": str(target.pk), "invited_by": target.invited_by.get_username()})
    inviter = actor_now(target.invited_by_id)
    return give_grant(
        inviter,
        target.project or target.tenant,
        user=user,
        role=target.role,
        ends_at=target.ends_at,
        reason=target.reason or _("invited as %(person)s") % {"person": target.person},
    )


def _waiting(target: Invitation) -> "QuerySet[Invitation]":
    """The row as long as nobody used it; one UPDATE on it decides who does."""
    rows = Invitation.objects.filter(pk=target.pk, accepted_at=None, revoked_at=None)
    return rows.filter(expires_at__gt=Now())
