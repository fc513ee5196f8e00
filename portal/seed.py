"""The first rows: an owner who operates the platform, tenant demo, project shop, three environments, one cluster."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import F

from apps import observing
from apps import services as app_services
from apps.environments.services import update_environment
from apps.models import ClusterOffer, Deployment, Environment
from audit.models import AuditEntry
from audit.services import Line, record, register_action
from backends.contract import HealthCheck, ImageInfo
from backends.models import Cluster
from backends.registry import driver_for
from core.access import SYSTEM, Actor
from images.models import Builder, Tag
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


def cluster(*, address: str, reachable_at: str, note: str) -> Cluster | None:
    """The cluster `local`, with its engine's present address; none yet is a cluster that says how to get one.

    None where there never was an engine here and another cluster has one: then nobody misses it.
    """
    known = Cluster.objects.filter(name=CLUSTER).exists()
    if not (address or known) and Cluster.objects.exclude(address="").exists():
        return None
    row, made = Cluster.objects.get_or_create(name=CLUSTER, defaults={"kind": Cluster.Kind.SWARM})
    if made:
        ClusterOffer.objects.create(cluster=row)  # to every tenant: it is the only one
    now = {"address": address, "reachable_at": reachable_at, "note": note[:500]}
    if made or any(getattr(row, name) != value for name, value in now.items()):
        Cluster.objects.filter(pk=row.pk).update(version=F("version") + 1, **now)
        row.refresh_from_db()
    return row


def builder(local: Cluster) -> None:
    """Images are built on an engine of Berth's own from the first minute; what an operator said later stays."""
    if not AuditEntry.objects.filter(action="image.builder_withdraw").exists():
        Builder.objects.get_or_create(cluster=local, defaults={"allowed_by": SYSTEM.name})


def home(local: Cluster | None, attached: Cluster | None) -> Cluster:
    """Where the first project deploys to: `local` where it has an engine, else a cluster that has one."""
    if local is not None and local.address:
        return local
    others = Cluster.objects.exclude(address="").order_by("created_at")
    found = attached or others.first() or local
    assert found is not None  # noqa: S101 -- `local` is left out only where another is there
    return found


def demo(at: Cluster) -> None:
    """Project shop with dev, test and prod. What has an engine, or was ever deployed to, stays where it is."""
    owner = owner_actor()
    tenant = Tenant.objects.get(name=TENANT)
    project = Project.objects.filter(tenant=tenant, name=PROJECT).first()
    if project is None:
        project = create_project(owner, tenant, name=PROJECT, title="Shop")
    for name, stage in STAGES:
        found = Environment.objects.filter(project=project, name=name).select_related("cluster").first()
        if found is None:
            app_services.create_environment(owner, project, name=name, stage=stage, cluster=at)
        elif at.address and not found.cluster.address and not Deployment.objects.filter(environment=found).exists():
            update_environment(owner, found, cluster=at)


def offer(at: Cluster, references: Iterable[str], *, facts: Mapping[str, Mapping[str, Any]] | None = None) -> list[str]:
    """Put those of these images that lie on the cluster's hosts into everybody's list; answers which lie there.

    `facts`: what they say of themselves, for a cluster that cannot look into them. What stands in the list already
    costs nothing. No registry is asked, for there a name may be somebody else's. The list shows the newest first, so
    the first reference is put in last.
    """
    there: list[str] = []
    if not observing.observe(at):
        return there
    driver = driver_for(at)
    for reference in reversed(list(references)):
        info = driver.held_image(reference)
        if info is None:
            continue
        if not driver.capabilities().reads_images:
            info = _told(info, (facts or {}).get(reference, {}))
        there.append(reference)
        repository, _colon, tag = reference.rpartition(":")
        known = Tag.objects.filter(repository__name=repository, name=tag, artifact__digest=info.digest)
        if not known.exists():
            offer_image(operator_actor(), at, repository=repository, tag=tag, info=info)
    return there[::-1]


def _told(info: ImageInfo, facts: Mapping[str, Any]) -> ImageInfo:
    check = facts.get("health")
    return replace(
        info,
        ports=tuple(facts.get("ports", ())),
        user=facts.get("user", ""),
        labels=dict(facts.get("labels", {})),
        health=HealthCheck(**check | {"command": tuple(check["command"])}) if check else None,
    )


def owner_actor() -> Actor:
    return _actor(User.objects.get(username=OWNER))


def operator_actor() -> Actor:
    """Whoever operates the platform longest."""
    grants = Grant.objects.filter(running_grants(), role="platform.operator")
    return _actor(User.objects.get(pk=grants.order_by("id").values("user")[:1]))


def _actor(user: User) -> Actor:
    return Actor(user.pk, user.get_username(), rights_of(user))
