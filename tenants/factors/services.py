"""What is done to second factors. Each public function is a command, on the person's own row or on a tenant."""

from collections.abc import Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, Denied, FieldProblem, Invalid
from core.secrets import Secret
from tenants.changes import tell_of
from tenants.factors import taking, telling
from tenants.factors.selectors import FACTORS, Kind, keeps_factors, protected, public_id, shown
from tenants.models import Session, Tenant, User

MOST_PASSKEYS = 20
LONGEST_NAME = 60


@command("factor.add_app", permission="account.own")
def add_app(actor: Actor, user: User, *, secret: Secret, code: Secret) -> Authenticator:
    """An app that makes codes, once it has shown a right one. Raises Invalid for a wrong code."""
    from allauth.mfa.totp.internal.auth import TOTP

    from tenants.factors.codes import step_of

    _lock_own(actor, user)
    if Authenticator.objects.filter(user=user, type=Kind.TOTP).exists():
        raise Conflict(_("There is an app already."), code="factor_exists", hint=_("Remove it first."))
    step = step_of(secret.reveal(), code.reveal())
    if step is None:
        text = _("The code is not right. Check the clock of your phone, then type the code it shows now.")
        raise Invalid(errors=[FieldProblem("code", "wrong", text)])
    row: Authenticator = TOTP.activate(user, secret.reveal()).instance
    row.data["last"] = step
    row.save(update_fields=["data"])
    _added(actor, user, row)
    return row


@command("factor.add_passkey", permission="account.own")
def add_passkey(actor: Actor, user: User, *, name: str, data: Mapping[str, Any]) -> Authenticator:
    """A passkey whose data `passkeys.made` has checked."""
    from tenants.factors.passkeys import known

    _lock_own(actor, user)
    name = _good_name(name)
    if known(user, dict(data)):
        raise Conflict(_("This passkey is there already."), code="factor_exists", hint=_("Use another device for it."))
    if Authenticator.objects.filter(user=user, type=Kind.WEBAUTHN).count() >= MOST_PASSKEYS:
        raise Conflict(_("You have as many passkeys as one may have."), hint=_("Remove one that you do not use."))
    row = Authenticator.objects.create(user=user, type=Kind.WEBAUTHN, data=dict(data) | {"name": name})
    _added(actor, user, row)
    return row


@command("factor.rename", permission="account.own")
def rename_passkey(actor: Actor, user: User, *, factor: Authenticator, name: str) -> Authenticator:
    _lock_own(actor, user)
    if factor.type != Kind.WEBAUTHN:
        raise Conflict(_("Only passkeys have names."))
    describe(before={"name": factor.data["name"]}, after={"name": _good_name(name)})
    factor.data["name"] = _good_name(name)
    factor.save(update_fields=["data"])
    return factor


@command("factor.remove", permission="account.own")
def remove_factor(actor: Actor, user: User, *, factor: Authenticator) -> None:
    """One factor of one's own. With the last one the recovery codes go too: there is nothing left they stand in for."""
    _lock_own(actor, user)
    gone = shown(factor)
    Authenticator.objects.filter(user=user, pk=factor.pk).delete()
    still = protected(user)
    if not still:
        Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).delete()
    describe(before={"kind": gone.kind, "name": gone.name}, after={"protected": still})
    telling.removed(user, gone, address=actor.address, protected=still)


@command("factor.codes", permission="account.own")
def make_codes(actor: Actor, user: User) -> list[str]:
    """Ten recovery codes in place of those there were; the only answer that shows them."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    _lock_own(actor, user)
    if not protected(user):
        text = _("Recovery codes stand in for an app or a passkey, and you have neither.")
        raise Conflict(text, hint=_("Add an app or a passkey first."))
    replaced = Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).delete()[0]
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    describe(after={"codes": len(codes)}, detail={"replaced": bool(replaced)})
    if replaced:
        telling.codes_renewed(user, address=actor.address)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


@command("factor.spend_code", permission="account.own")
def spend_code(actor: Actor, user: User, *, code: Secret) -> int:
    """Use up one recovery code. Answers how many are left. Raises Conflict where it is used or was never one."""
    row = Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).first()
    if row is None or not row.wrap().validate_code(code.reveal()):
        raise Conflict(_("This recovery code is used already."))
    row.refresh_from_db()
    row.record_usage()
    left = len(row.wrap().get_unused_codes())
    describe(after={"left": left})
    telling.code_spent(user, left=left)
    return left


@command("factor.reset", permission="factor.reset")
def reset_factors(actor: Actor, target: Tenant | None, *, user: User, reason: str) -> int:
    """Take all second factors from somebody who lost them, for an operator (target None) or an owner of their tenant.

    Whoever is signed in as them is signed out. They then come in with their password alone, and are told of it.
    Answers how many factors it were.
    """
    if not reason.strip():
        raise Invalid(errors=[FieldProblem("reason", "required", _("Say why; the person and auditors read it."))])
    if actor.id == user.pk:
        raise Denied(_("Your own factors are on your own page."), hint=_("It asks for your password."))
    taking.check_reach(target, user)
    before = taking.summary(user)
    count: int = Authenticator.objects.filter(user=user, type__in=FACTORS).delete()[0]
    if not count:
        text = _("This person has no second factor.")
        raise Conflict(text, hint=_("If they cannot come in, it is the password."))
    Authenticator.objects.filter(user=user).delete()
    ended = Session.objects.filter(user=user).delete()[0]
    describe(before=before, detail={"person": user.get_username(), "sessions_ended": ended})
    telling.taken(user, by=actor.name, reason=reason.strip())
    tell_of(user.pk)
    return count


def _lock_own(actor: Actor, user: User) -> None:
    """One change of a person's factors at a time, and only their own, and only where Berth keeps them."""
    if actor.id != user.pk:
        raise Denied(_("An account is changed by the person it belongs to."))
    if not keeps_factors(user):
        message = _("Your second factors are kept by the identity service.")
        raise Conflict(message, code="kept_elsewhere", hint=_("Change them there; Berth asks it at every sign-in."))
    User.objects.select_for_update().get(pk=user.pk)


def _good_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        text = _("1 to %(most)s characters, such as the device it is on.") % {"most": LONGEST_NAME}
        raise Invalid(errors=[FieldProblem("name", "bad_name", text)])
    return name


def _added(actor: Actor, user: User, row: Authenticator) -> None:
    """On record, and the person is told: it may not have been they."""
    added = shown(row)
    describe(after={"kind": added.kind, "name": added.name}, detail={"factor": str(public_id(row))})
    telling.added(user, added, address=actor.address)
