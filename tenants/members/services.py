"""What is done with a person as a whole. Each public function is a command."""

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict
from tenants.changes import tell_of
from tenants.giving import lock_grants
from tenants.groups.holding import held_by
from tenants.groups.models import Membership
from tenants.groups.services import take_from_group
from tenants.identity import outgoing
from tenants.members.cutting import Place, at, tokens_at
from tenants.models import Grant, Project, Request, User
from tenants.rights import running_grants
from tenants.services import end_grant


@command("member.remove", permission="member.manage", even_closed=True)
def remove_member(actor: Actor, target: Place, *, user: User) -> int:
    """End all roles of a person there, and the tokens and requests that count only there. Answers how many roles.

    Out of a tenant they leave its groups as well. Raises Conflict where a role comes from elsewhere or it is the last
    owner, and in a project where a group gives one; then nothing is ended.
    """
    lock_grants(actor, target)
    ended = _leave_groups(actor, target, user)
    grants = list(Grant.objects.filter(running_grants(), at(target), user=user).select_related("project__tenant"))
    if any(outgoing.kept_there(grant) for grant in grants):
        message = _("Some roles of %(person)s are kept by the identity service.") % {"person": user.get_username()}
        raise Conflict(message, code="kept_elsewhere", hint=_("Remove the person there; Berth follows by itself."))
    for grant in grants:
        end_grant(actor, grant.project or target, grant=grant)
    tokens = tokens_at(user.pk, target).delete()[0]
    asked = Request.objects.filter(at(target), asked_by=user, state="open").exclude(kind="review")
    withdrawn = asked.update(state=Request.State.WITHDRAWN, decided_at=Now())
    describe(
        before={"person": user.get_username(), "roles": sorted(grant.role for grant in grants)},
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
