"""The cast of `./berth up --cast`: accounts named by their roles, in two tenants, to try who may do what.

| where | who |
|---|---|
| tenant acme | owner; auditor |
| acme, projects shop and billing | developer, releaser, guest |
| tenant globex, project store | outsider, its owner |
| platform | operator |
"""

import secrets

from django.db import transaction

from apps.models import Environment
from apps.services import create_environment
from audit.models import AuditEntry
from audit.services import Line, record
from backends.models import Cluster
from core.access import SYSTEM, Actor
from portal.seed import SEEDED, STAGES
from tenants.models import Grant, Project, Tenant, User
from tenants.rights import rights_of, running_grants
from tenants.services import create_project, create_tenant, give_grant

OPERATOR = "operator"
OWNERS = {"acme": "owner", "globex": "outsider"}
PROJECTS = {"acme": (("shop", "Shop"), ("billing", "Billing")), "globex": (("store", "Store"),)}
IN_TENANT = {"auditor": "tenant.auditor"}
IN_PROJECTS = {"developer": "project.developer", "releaser": "project.release_manager", "guest": "project.guest"}
NAMES = (*OWNERS.values(), *IN_PROJECTS, *IN_TENANT, OPERATOR)
REASON = "cast"


@transaction.atomic
def accounts() -> dict[str, str]:
    """Make whoever is missing, among them the platform's operator; {name: password} of those made by this call only."""
    made = {name: password for name in NAMES if (password := _account(name))}
    _operator()
    return made


@transaction.atomic
def places(at: Cluster) -> None:
    """Make what is missing of tenants, projects with their environments, and roles; `accounts` come first."""
    operator = _operator()
    for tenant, owner in OWNERS.items():
        _tenant(operator, tenant, User.objects.get(username=owner), at)
    for role, names in ((IN_TENANT, ()), (IN_PROJECTS, PROJECTS["acme"])):
        _give(role, [name for name, _title in names])


def _account(name: str) -> str:
    """The password of a new account; empty where there is one already, which keeps its own."""
    if User.objects.filter(username=name).exists():
        return ""
    password = secrets.token_urlsafe(12)
    user = User.objects.create_user(name, password=password)
    line = Line(SEEDED, target_kind="user", target_id=str(user.pk), target_name=name)
    record(SYSTEM, line, result=AuditEntry.Result.DONE)
    return password


def _operator() -> Actor:
    user = User.objects.get(username=OPERATOR)
    if not _holds(user, "platform.operator", tenant=None):
        Grant.objects.create(user=user, role="platform.operator", granted_by=SYSTEM.name, reason=REASON)
    return _actor(user)


def _actor(user: User) -> Actor:
    return Actor(user.pk, user.get_username(), rights_of(user))


def _tenant(operator: Actor, name: str, owner: User, local: Cluster) -> None:
    tenant = Tenant.objects.filter(name=name).first()
    if tenant is None:
        tenant = create_tenant(operator, None, name=name, title=name.capitalize(), owner=owner)
    elif not _holds(owner, "tenant.owner", tenant=tenant):
        Grant.objects.create(user=owner, role="tenant.owner", tenant=tenant, granted_by=SYSTEM.name, reason=REASON)
    for project, title in PROJECTS[name]:
        _project(_actor(owner), tenant, project, title, local)


def _project(owner: Actor, tenant: Tenant, name: str, title: str, local: Cluster) -> None:
    """One that was deleted stays so: its name is kept for whoever wants it back."""
    if Project.objects.filter(tenant=tenant, name=name).exists():
        return
    project = create_project(owner, tenant, name=name, title=title)
    for stage, kind in STAGES:
        create_environment(owner, project, name=stage, stage=Environment.Stage(kind), cluster=local)


def _give(roles: dict[str, str], projects: list[str]) -> None:
    """Each person their role in acme: in these projects, or in the tenant where none is named."""
    acme = Tenant.objects.get(name="acme")
    owner = _actor(User.objects.get(username=OWNERS["acme"]))
    places: list[Tenant | Project] = list(Project.objects.filter(tenant=acme, name__in=projects, deleted_at=None))
    for name, role in roles.items():
        user = User.objects.get(username=name)
        for place in places if projects else [acme]:
            if not _holds(user, role, tenant=acme, project=place if isinstance(place, Project) else None):
                give_grant(owner, place, user=user, role=role, reason=REASON)


def _holds(user: User, role: str, *, tenant: Tenant | None, project: Project | None = None) -> bool:
    grants = Grant.objects.filter(running_grants(), user=user, role=role, tenant=tenant, project=project)
    return grants.exists()
