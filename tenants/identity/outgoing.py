"""What is given and taken in Berth goes to Keystone too, where it has a role for it: noted with the change, sent after.

The note is written in the change's own transaction, so that nothing is lost when Keystone is away; sending it twice
does no harm.
"""

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from tenants.identity.errors import IdentityUnavailable, Refused
from tenants.identity.models import KeystoneWrite, RoleMapping
from tenants.models import Grant, Tenant, User

SOURCE = "keystone"
SEND = "tenants.write_to_keystone"
MOST_AT_ONCE = 200


def note_given(grant: Grant) -> None:
    """Call it where a grant was made. One that Keystone knows a role for is Keystone's from then on."""
    role = role_for(grant)
    if role:
        Grant.objects.filter(pk=grant.pk).update(source=SOURCE)
        _note(KeystoneWrite.Deed.GIVE, grant, role)


def kept_there(grant: Grant) -> bool:
    """Whether only Keystone can end it: it came from there, and nothing that Berth could write would take it away."""
    return grant.source == SOURCE and bool(settings.KEYSTONE["url"]) and not role_for(grant)


def note_ended(grant: Grant) -> None:
    """Call it where somebody ended a grant."""
    role = role_for(grant) if grant.source == SOURCE else ""
    if role:
        _note(KeystoneWrite.Deed.TAKE, grant, role)


def role_for(grant: Grant) -> str:
    """Id of Keystone's role that a grant goes out as; empty where Keystone has nothing to do with it."""
    if not settings.KEYSTONE["url"] or grant.tenant is None or grant.project_id is not None:
        return ""
    if grant.user is None:
        return ""  # groups are Berth's own: Keystone never hears of them
    if grant.tenant.source != SOURCE or grant.user.source != SOURCE:
        return ""
    rows = RoleMapping.objects.filter(place=RoleMapping.Place.PROJECT, role=grant.role).exclude(external_id="")
    return rows.order_by("id").values_list("external_id", flat=True).first() or ""


def _note(deed: str, grant: Grant, role: str) -> None:
    """The last word counts: what was to be written before of the same role is dropped."""
    place = {"user_id": grant.user_id, "tenant_id": grant.tenant_id, "role": grant.role}
    KeystoneWrite.objects.filter(done_at__isnull=True, **place).delete()
    KeystoneWrite.objects.create(deed=deed, keystone_role=role, **place)
    transaction.on_commit(lambda: current_app.send_task(SEND, ignore_result=True))


def send() -> int:
    """Write what is not written yet; gives back how much of it went out. What is refused stays, with the reason."""
    open_rows = KeystoneWrite.objects.filter(done_at__isnull=True).select_related("user", "tenant__organization")
    sent = 0
    for row in open_rows.order_by("id")[:MOST_AT_ONCE]:
        try:
            _send(row)
        except IdentityUnavailable:
            return sent
        except Refused as refused:
            KeystoneWrite.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, problem=str(refused)[:300])
            continue
        KeystoneWrite.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, problem="", done_at=Now())
        sent += 1
    return sent


def _send(row: KeystoneWrite) -> None:
    from tenants.identity import wire

    user: User = row.user
    tenant: Tenant = row.tenant
    wire.write(
        give=row.deed == KeystoneWrite.Deed.GIVE,
        user=user.external_id or "",
        project=tenant.external_id or "",
        role=row.keystone_role,
        domain=tenant.organization.external_id or "",
    )


def end_what_is_over() -> None:
    """Grants of Keystone's people that were given until now end there as well."""
    over = Grant.objects.filter(ended_at__isnull=True, ends_at__lte=Now(), source=SOURCE)
    for grant in over.select_related("user", "tenant")[:MOST_AT_ONCE]:
        with transaction.atomic():
            Grant.objects.filter(pk=grant.pk, ended_at__isnull=True).update(ended_at=Now(), ended_by="berth")
            note_ended(grant)
