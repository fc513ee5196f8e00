"""The first rows: an owner who operates the platform, tenant demo, project shop, three environments, one cluster."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from apps import observing
from apps import services as app_services
from apps.models import Environment
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from backends.models import Cluster
from backends.registry import driver_for
from core.access import SYSTEM, Actor
from images.models import Tag
from images.services import offer_image
from tenants.models import Grant, Organization, Project, Tenant, User
from tenants.rights import rights_of, running_grants
from tenants.services import create_project

OWNER, TENANT, PROJECT, CLUSTER = "owner", "demo", "shop", "local"
STAGES = (("dev", "dev"), ("test", "test"), ("prod", "prod"))
SEEDED = register_action("platform.seed")


@transaction.atomic
def first_account(password: str, *, operates: bool = True) -> bool:
    """Make `owner` with this password; False where the account exists, whose password is then left alone.

    `operates`: they operate the platform too, as long as nobody else does.
    """
    if User.objects.filter(username=OWNER).exists():
        return False
    owner = User.objects.create_user(OWNER, password=password)
    organization, _made = Organization.objects.get_or_create(name=TENANT)
    tenant, _made = Tenant.objects.get_or_create(name=TENANT, defaults={"organization": organization, "title": "Demo"})
    roles: list[tuple[str, Tenant | None]] = [("tenant.owner", tenant)]
    for role, place in [("platform.operator", None), *roles] if operates else roles:
        Grant.objects.create(user=owner, role=role, tenant=place, granted_by=SYSTEM.name, reason="first account")
    line = Line(SEEDED, tenant_id=tenant.pk, target_kind="user", target_id=str(owner.pk), target_name=OWNER)
    record(SYSTEM, line, result=AuditEntry.Result.DONE)
    return True


def cluster(*, address: str, reachable_at: str, note: str) -> Cluster:
    """The cluster `local`, with its engine's present address; none yet is a cluster that says how to get one."""
    row, made = Cluster.objects.get_or_create(name=CLUSTER, defaults={"kind": Cluster.Kind.SWARM})
    now = {"address": address, "reachable_at": reachable_at, "note": note[:500]}
    if made or any(getattr(row, name) != value for name, value in now.items()):
        Cluster.objects.filter(pk=row.pk).update(version=F("version") + 1, **now)
        row.refresh_from_db()
    return row


def demo(local: Cluster) -> None:
    """Project shop with dev, test and prod."""
    owner = owner_actor()
    tenant = Tenant.objects.get(name=TENANT)
    project = Project.objects.filter(tenant=tenant, name=PROJECT).first()
    if project is None:
        project = create_project(owner, tenant, name=PROJECT, title="Shop")
    for name, stage in STAGES:
        if not Environment.objects.filter(project=project, name=name).exists():
            app_services.create_environment(owner, project, name=name, stage=stage, cluster=local)


def offer(local: Cluster, references: Iterable[str]) -> None:
    """Put images that lie on the engine into everybody's list; those that stand there already cost nothing.

    The list shows the newest first, so the first reference is put in last.
    """
    observing.observe(local)
    for reference in reversed(list(references)):
        repository, _colon, tag = reference.rpartition(":")
        info = driver_for(local).resolve_image(reference, local=True)
        known = Tag.objects.filter(repository__name=repository, name=tag, artifact__digest=info.digest)
        if not known.exists():
            offer_image(operator_actor(), local, repository=repository, tag=tag, info=info)


def owner_actor() -> Actor:
    return _actor(User.objects.get(username=OWNER))


def operator_actor() -> Actor:
    """Whoever operates the platform longest."""
    grants = Grant.objects.filter(running_grants(), role="platform.operator")
    return _actor(User.objects.get(pk=grants.order_by("id").values("user")[:1]))


def _actor(user: User) -> Actor:
    return Actor(user.pk, user.get_username(), rights_of(user))
