"""What operators do with the identity service. Each public function is a command."""

from celery import current_app
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, FieldProblem, Invalid
from tenants.identity.models import RoleMapping
from tenants.identity.wanted import ADMIN
from tenants.roles import ROLES

FOLLOW = "tenants.follow_keystone"


@command("identity.map", permission="identity.manage")
def add_mapping(actor: Actor, target: None, *, place: str, keystone_role: str, role: str) -> RoleMapping:
    """Let a role of Keystone give one of ours. `admin` never does: on any project it is admin of the whole cloud."""
    name = keystone_role.strip()
    if name.casefold() == ADMIN:
        message = _("Keystone's “admin” is admin of the whole cloud wherever it is held, so it gives nothing here.")
        hint = _("Make a role of its own in Keystone, and map that.")
        raise Invalid(errors=[FieldProblem("keystone_role", "admin", message, hint)])
    on_platform = place == RoleMapping.Place.SYSTEM
    if role not in ROLES or (ROLES[role].level == "platform") != on_platform:
        message = _("A role on the system gives one on the platform, and any other one in a tenant.")
        raise Invalid(errors=[FieldProblem("role", "unknown", message)])
    try:
        with transaction.atomic():
            made = RoleMapping.objects.create(place=place, keystone_role=name, role=role)
    except IntegrityError:
        message = _("“%(name)s” is mapped there already.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Remove that line first.")) from None
    describe(target=made, after={"place": place, "keystone_role": name, "role": role})
    _follow_soon()
    return made


@command("identity.unmap", permission="identity.manage")
def remove_mapping(actor: Actor, target: None, *, mapping: RoleMapping) -> None:
    """What was given by this line ends with the next look at Keystone, at once."""
    before = {"place": mapping.place, "keystone_role": mapping.keystone_role, "role": mapping.role}
    describe(target=mapping, before=before)
    mapping.delete()
    _follow_soon()


@command("identity.mend", permission="identity.manage")
def mend(actor: Actor, target: None) -> None:
    """Write what is not written yet, and follow Keystone now, beside the request: it may take a while."""
    _follow_soon()


def _follow_soon() -> None:
    transaction.on_commit(lambda: current_app.send_task(FOLLOW, ignore_result=True))
