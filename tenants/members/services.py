"""What is done with a person as a whole. Each public function is a command."""

from datetime import datetime

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, FieldProblem, Invalid, NotFound
from tenants.breakglass.services import SOURCE as BREAK_GLASS
from tenants.changes import tell_of
from tenants.custom.resolving import role_of
from tenants.ending import tell_of_extension
from tenants.giving import check_holds, lock_grants
from tenants.groups.holders import named
from tenants.groups.holding import held_by, tell_holders
from tenants.groups.models import Membership
from tenants.groups.services import take_from_group
from tenants.handing.doing import Handed, hand_over
from tenants.identity import outgoing
from tenants.members.cutting import Place, at, tokens_at
from tenants.models import Grant, Project, Request, User
from tenants.rights import running_grants
from tenants.services import end_grant
from tenants.tokens import end_tokens


@command("member.remove", permission="member.manage", even_closed=True)
def remove_member(actor: Actor, target: Place, *, user: User, hand_over_to: str = "") -> int:
    """End all roles of a person there, and the tokens and requests that count only there. Answers how many roles.

    Out of a tenant they leave its groups as well. Raises Conflict where a role comes from elsewhere or it is the last
    owner, and in a project where a group gives one; then nothing is ended. Before, what they keep for others goes to
    the member of user name `hand_over_to`, as far as it can; Invalid where there is none.
    """
    lock_grants(actor, target)
    handed = hand_over(actor, target, user, hand_over_to) if hand_over_to else Handed()
    ended = _leave_groups(actor, target, user)
    grants = list(Grant.objects.filter(running_grants(), at(target), user=user).select_related("project__tenant"))
    if any(outgoing.kept_there(grant) for grant in grants):
        message = _("Some roles of %(person)s are kept by the identity service.") % {"person": user.get_username()}
        raise Conflict(message, code="kept_elsewhere", hint=_("Remove the person there; Berth follows by itself."))
    for grant in grants:
        end_grant(actor, grant.project or target, grant=grant)
    tokens = end_tokens(tokens_at(user.pk, target))
    asked = Request.objects.filter(at(target), asked_by=user, state="open").exclude(kind="review")
    withdrawn = asked.update(state=Request.State.WITHDRAWN, decided_at=Now())
    describe(
        before={"person": user.get_username(), "roles": sorted(grant.role for grant in grants)} | handed.before,
        after=handed.after,
        detail={"person": user.get_username(), "tokens_ended": tokens, "requests_withdrawn": withdrawn},
    )
    tell_of(user.pk)
    return len(grants) + ended


def _leave_groups(actor: Actor, target: Place, user: User) -> int:
    """Answers how many roles they lose by it."""
    by_group = Grant.objects.filter(running_grants(), held_by(user), at(target), user=None).select_related("group")
    if isinstance(target, Project):
        if names := sorted({str(grant.group) for grant in by_group}):
            words = {"person": user.get_username(), "groups": ", ".join(names)}
            message = _("%(person)s has a role here by a group: %(groups)s.") % words
            hint = _("Take the person out of the group first, or end its role here.")
            raise Conflict(message, code="by_group", hint=hint)
        return 0
    ended = by_group.count()
    for row in Membership.objects.filter(tenant=target, user=user, ended_at=None).select_related("group__tenant"):
        take_from_group(actor, row.group, user=user)
    return ended


@command("grant.extend", permission="member.manage")
def extend_grant(actor: Actor, target: Place, *, grant: Grant, ends_at: datetime, reason: str) -> Grant:
    """A later end for a role that ends. Who extends it must hold what it gives, as if they gave it now."""
    lock_grants(actor, target)
    row = _extendable(grant)
    if role := role_of(row):
        check_holds(actor, target, role.permissions)
    problems = []
    if row.ends_at is None or ends_at <= row.ends_at:
        problems.append(FieldProblem("ends_at", "out_of_range", _("Take a time after its present end.")))
    if not reason.strip():
        problems.append(FieldProblem("reason", "required", _("Say why it goes on.")))
    if problems:
        raise Invalid(errors=problems)
    before = {"ends_at": str(row.ends_at), "reason": row.reason}
    Grant.objects.filter(pk=row.pk).update(ends_at=ends_at, reason=reason.strip())
    row.refresh_from_db()
    describe(
        before=before,
        after={"ends_at": str(row.ends_at), "reason": row.reason},
        detail={"grant": str(row.pk), **named(row), "role": row.role},
    )
    tell_of_extension(row, by=actor.name)
    tell_holders(row)
    return row


def _extendable(grant: Grant) -> Grant:
    """The grant as it is now that it is our turn. Raises Conflict for one that has no end, or is not ours to move."""
    rows = Grant.objects.filter(running_grants(), pk=grant.pk, tenant__isnull=False)
    row = rows.select_related("user", "group", "tenant", "project__tenant", "custom").first()
    if row is None:
        raise NotFound()
    if outgoing.kept_there(row):
        message = _("This role is kept by the identity service.")
        raise Conflict(message, code="kept_elsewhere", hint=_("Change it there; Berth follows by itself."))
    if row.source == BREAK_GLASS:
        message = _("What was taken at once ends when it was said to.")
        raise Conflict(message, code="taken_at_once", hint=_("Ask for the role, or have it given."))
    if row.ends_at is None:
        raise Conflict(_("This role has no end."), code="no_end", hint=_("Nothing is to be done."))
    return row
