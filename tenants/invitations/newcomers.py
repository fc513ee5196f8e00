"""People who come with an invitation and have no account yet."""

import re

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM, Actor
from core.errors import FieldProblem, Invalid
from core.secrets import Secret
from tenants.invitations.services import accept
from tenants.models import Invitation, User
from tenants.rights import rights_of

MADE = register_action("account.create")
NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}\Z", re.ASCII)
RESERVED = {SYSTEM.name, "admin", "root", "system", "platform", "nobody"}


def join(invitation: Invitation, *, name: str, password: Secret, address: str, client: str) -> User:
    """An account of one's own, and the role of the invitation; neither where the other fails.

    Raises Invalid for a name that is taken or looks like another, and for a weak password.
    """
    problems = [*_of_name(name), *_of_password(password)]
    if problems:
        raise Invalid(errors=problems)
    try:
        with transaction.atomic():
            user = User.objects.create_user(name, password=password.reveal())
    except IntegrityError:
        raise Invalid(errors=[FieldProblem("name", "name_taken", _("This name is taken."))]) from None
    actor = Actor(user.pk, name, rights_of(user), address=address, client=client)
    line = Line(MADE, tenant_id=invitation.tenant_id, detail={"invitation": str(invitation.pk)})
    line.target_kind, line.target_id, line.target_name = "user", str(user.pk), name
    accept(actor, invitation)
    record(actor, line, result=AuditEntry.Result.DONE)
    return user


def _of_name(name: str) -> list[FieldProblem]:
    if NAME.match(name) and name not in RESERVED:
        return []
    text = _("2 to 40 of a to z, digits, dot, dash and underscore, a letter first; some names are Berth's own.")
    return [FieldProblem("name", "bad_name", text)]


def _of_password(password: Secret) -> list[FieldProblem]:
    try:
        validate_password(password.reveal())
    except ValidationError as error:
        return [FieldProblem("password", "weak", text) for text in error.messages]
    return []
