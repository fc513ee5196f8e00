"""The accounts by which the hosts of an environment fetch images: one each, which may pull for its project alone.

Where the environment's stage takes images by approval only, it may pull what is laid out for that stage, nothing else.
"""

import secrets

from knox.crypto import hash_token

from backends.contract import Credentials
from core.access import Actor, Rights
from core.secrets import Secret
from images.models import PullAccount
from images.promotion import places
from images.promotion.standing import by_approval_only
from images.registry import names
from tenants.models import Project, Tenant

PREFIX = "berthpull_"
KIND = "account"


def credentials_for(project: Project, *, place: str, stage: str = "") -> Credentials | None:
    """What the environment of this name on its cluster shows to the registry; None where there is no registry."""
    if not names.address():
        return None
    account = PullAccount.objects.filter(place=place).first() or _made(project, place, stage)
    return Credentials(names.address(), str(account), account.secret)


def known_credentials(place: str) -> Credentials | None:
    """The same for a page: an environment that never fetched anything has none, and gets none by being looked at."""
    account = PullAccount.objects.filter(place=place).first() if names.address() else None
    return Credentials(names.address(), str(account), account.secret) if account else None


def _made(project: Project, place: str, stage: str) -> PullAccount:
    text = PREFIX + secrets.token_urlsafe(32)
    whose = {"tenant_id": project.tenant_id, "project": project, "stage": stage}
    new = whose | {"digest": hash_token(text), "secret": Secret(text)}
    account, _made_now = PullAccount.objects.get_or_create(place=place, defaults=new)
    return account


def actor_of(secret: str) -> Actor | None:
    """Who shows this secret; None where it is nobody's, or its project or tenant is closed to everyone."""
    rows = PullAccount.objects.filter(project__deleted_at__isnull=True).exclude(tenant__state=Tenant.DISABLED)
    account = rows.filter(digest=hash_token(secret)).first()
    if account is None:
        return None
    return Actor(id=account.pk, name=str(account), rights=_rights(account), kind=KIND)


def _rights(account: PullAccount) -> Rights:
    """None at all where images come by approval: what is laid out for the stage is found by `laid_out_for`."""
    if by_approval_only(account.project_id, account.stage):
        return Rights(ceiling=frozenset())
    return Rights(
        tenants={account.tenant_id: frozenset({"tenant.view"})},
        projects={account.project_id: frozenset({"image.pull"})},
    )


def laid_out_for(actor: Actor) -> str:
    """The one repository from which this account fetches what is approved for its stage; empty for everybody else."""
    account = PullAccount.objects.filter(pk=actor.id).first() if actor.kind == KIND and actor.id else None
    return places.path_of(account.project_id, account.stage) if account and account.stage else ""


def end(place: str) -> None:
    """Call it when the environment is no more."""
    PullAccount.objects.filter(place=place).delete()
