"""What is done with a person as a whole. Each public function is a command."""

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict
from tenants.changes import tell_of
from tenants.giving import lock_grants
from tenants.identity import outgoing
from tenants.members.cutting import Place, at, tokens_at
from tenants.models import Grant, Request, User
from tenants.rights import running_grants
from tenants.services import end_grant


@command("member.remove", permission="member.manage", even_closed=True)
def remove_member(actor: Actor, target: Place, *, user: User) -> int:
    """End all roles of a person there, and the tokens and requests that count only there. Answers how many roles.

    Raises Conflict where a role comes from elsewhere or it is the last owner; then nothing is ended.
    """
    lock_grants(actor, target)
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
    return len(grants)
