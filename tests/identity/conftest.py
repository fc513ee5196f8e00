"""A real Keystone for the session; every test gets a domain of its own on it."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from launcher.identity.admin import Admin
from launcher.identity.dev import sync_account
from launcher.identity.server import PrivateKeystone
from tenants.identity import recheck
from tenants.identity.models import RoleMapping
from tenants.models import Grant, Tenant, User

PYTHON = os.environ.get("BERTH_TEST_KEYSTONE", "")
SIGN_IN = "/accounts/sign-in/"


@dataclass
class Cloud:
    """The server, its first account, and the account Berth reads with."""

    server: PrivateKeystone
    admin: Admin
    sync_user: str
    sync_password: str


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if not PYTHON:
        pytest.skip("./berth test keystone installs a Keystone and sets BERTH_TEST_KEYSTONE")
    server = PrivateKeystone(tmp_path_factory.mktemp("keystone"), Path(PYTHON))
    try:
        server.start()
        password = secrets.token_urlsafe(18)
        admin = server.admin()
        for role in ("developer", "auditor", "operator"):
            admin.role(role)
        yield Cloud(server, admin, sync_account(admin, password, domains=[]), password)
    finally:
        server.destroy()


def tick() -> None:
    """Into the next second: what Keystone gives out in the second of a change may be dead on arrival."""
    begun = int(time.time())
    while int(time.time()) == begun:
        time.sleep(0.01)


@dataclass
class Home:
    """A domain with one project, and people whose password is their name three times over."""

    admin: Admin
    name: str
    domain: str
    project: str
    folder: Path
    people: dict[str, str] = field(default_factory=dict)

    def person(self, name: str, role: str = "", *, project: str = "", domain: str = "", **more: Any) -> str:
        key = self.admin.user(name, self.domain, password_of(name), **more)
        self.people[name] = key
        if role:
            self.admin.grant(role, key, project=project or ("" if domain else self.project), domain=domain)
        return key

    def user(self, name: str) -> User:
        return User.objects.get(source="keystone", external_id=self.people[name])

    def tenant(self, project: str = "") -> Tenant:
        return Tenant.objects.get(source="keystone", external_id=project or self.project)

    def roles(self, name: str) -> set[str]:
        rows = Grant.objects.filter(user=self.user(name), ended_at__isnull=True)
        return set(rows.values_list("role", flat=True))


def password_of(name: str) -> str:
    return f"{name}-{name}-{name}"


@pytest.fixture
def home(cloud: Cloud, settings: Any, db: None) -> Home:
    settings.KEYSTONE = {"url": cloud.server.url, "user": cloud.sync_user, "password": cloud.sync_password}
    settings.KEYSTONE_RECHECK_SECONDS = 0
    settings.KEYSTONE_TIMEOUT_SECONDS = 20
    recheck.memory.forget()
    from tenants.identity import wire

    wire.forget()
    for place, theirs, ours in (
        ("domain", "manager", "tenant.owner"),
        ("project", "manager", "tenant.admin"),
        ("project", "reader", "project.guest"),
        ("project", "developer", "project.developer"),
        ("project", "auditor", "tenant.auditor"),
        ("system", "operator", "platform.operator"),
    ):
        RoleMapping.objects.get_or_create(place=place, keystone_role=theirs, defaults={"role": ours})
    RoleMapping.objects.update(external_id="")
    name = f"org-{secrets.token_hex(4)}"
    domain = cloud.admin.domain(name)
    cloud.admin.grant("manager", cloud.sync_user, domain=domain)
    tick()  # a role given to the account that reads ends tokens of the same second
    return Home(cloud.admin, name, domain, cloud.admin.project("alpha", domain), cloud.server.folder)


@pytest.fixture
def enter(client: Client) -> Callable[..., Any]:
    """`enter(home, "ann")`: the answer of the door."""

    def sign_in(home: Home, name: str, password: str = "", *, follow: bool = False) -> Any:
        typed = {"organization": home.name, "username": name, "password": password or password_of(name)}
        return client.post(SIGN_IN, typed, follow=follow)

    return sign_in
