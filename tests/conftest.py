"""The cast and the stage of every test: tenant acme with its people, tenant globex as the stranger, a fake cluster."""

import os
import secrets
import time

os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("FIELD_KEYS", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.test import Client, TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from apps.models import AppEnvironment, ClusterOffer, Environment
from apps.services import create_app, create_environment, deploy
from apps.specification import from_image
from backends import registry
from backends.fake import FakeDriver
from backends.models import Cluster
from core.access import Actor
from core.triggers import allow_statements, refuse_statements
from operations import tasks
from operations.models import Operation
from operations.registry import long_kinds
from tenants.models import Grant, Organization, Project, Tenant, Token, User
from tenants.reviews.models import SEALED
from tenants.rights import rights_of
from tenants.services import create_project

PASSWORD = "a long enough password"
PATIENCE_SECONDS = 10.0
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
KEPT = {
    "audit_auditentry": ("update", "delete"),
    "apps_release": ("update", "delete"),
    "apps_releaseimage": ("update", "delete"),
}
KEPT_WHEN = {"tenants_review": SEALED, "tenants_reviewline": SEALED}  # rows of these only once they are sealed
HERE = Path(__file__).parent
STORES = {"db", "transactional_db", "django_db_setup"}
STORELESS = (  # in these folders whatever asks for no database asks for no cache or channel either
    "rules/", "launcher/", "backends/", "scanning/", "building/", "replication/", "outbound/", "frontend/",
    "apps/specification/", "test_docs.py",
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without the cast come before those with it: once made, it stays in the tables.

    What is the same whatever the stores are is marked, so that it need not run with each of them.
    """
    items.sort(key=lambda item: "cast" in getattr(item, "fixturenames", ()))
    for item in items:
        stored = item.get_closest_marker("django_db") or STORES.intersection(getattr(item, "fixturenames", ()))
        if not stored and item.path.relative_to(HERE).as_posix().startswith(STORELESS):
            item.add_marker("storeless")


@pytest.fixture(scope="session", autouse=True)
def _emptying_allowed() -> Iterator[None]:
    """Between transactional tests the tables are emptied, which they themselves refuse: lift that for the moment.

    Before them as well, when the cast is still in the tables.
    """
    begin = TransactionTestCase.__dict__["_fixture_setup"].__func__
    empty = TransactionTestCase._fixture_teardown

    def setup(kind: type[TransactionTestCase]) -> None:
        begin(kind)
        if CAST:
            CAST.clear()
            teardown(kind())

    def teardown(case: TransactionTestCase) -> None:
        _once_free(lambda: _triggers(_allow))
        try:
            _once_free(lambda: empty(case))
        finally:
            _once_free(lambda: _triggers(_refuse))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_setup", classmethod(setup))
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield


def _once_free(act: Callable[[], None]) -> None:
    """A thread of the test that just ended may still read; SQLite in memory then refuses at once instead of waiting."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _allow(vendor: str, table: str, deed: str, _when: str) -> list[str]:
    return allow_statements(vendor, table, deed)


def _refuse(vendor: str, table: str, deed: str, when: str) -> list[str]:
    return refuse_statements(vendor, table, deed, when=when)


def _triggers(make: Callable[..., list[str]]) -> None:
    with connection.cursor() as cursor:
        for table, when in (dict.fromkeys(KEPT, "TRUE") | KEPT_WHEN).items():
            for deed in KEPT.get(table, ("update", "delete")):
                for statement in make(connection.vendor, table, deed, when):
                    cursor.execute(statement)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests recorded, whichever process ran them: how much of the matrix was looked at, where clusters differ."""
    found = (report for reports in terminalreporter.stats.values() for report in reports)
    reports = [report for report in found if getattr(report, "when", "") == "call"]  # the end of a test repeats them
    noted = [pair for report in reports for pair in getattr(report, "user_properties", ())]
    if cells := [value for name, value in noted if name == "cells"]:
        terminalreporter.write_line(f"role x endpoint x ownership: {sum(cells)} cells checked")
    for difference in (value for name, value in noted if name == "differs"):
        terminalreporter.write_line(f"clusters differ in {difference}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings_parallel_suffix(request: pytest.FixtureRequest) -> None:
    """SQLite's lies in memory, one for each process of tests; pytest-django sees that only of Django's own backend."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = ":memory:"
    else:
        request.getfixturevalue("django_db_modify_db_settings_xdist_suffix")


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = QUICK_HASHERS
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture
def driver() -> Iterator[FakeDriver]:
    """The engine of the fake cluster; set its mood to make trouble."""
    fake = FakeDriver()
    registry.close_all()
    registry.register(Cluster.Kind.FAKE, lambda _cluster: fake, fake.capabilities())
    yield fake
    registry.close_all()


@pytest.fixture
def far(driver: FakeDriver) -> Iterator[FakeDriver]:
    """The engine of whatever cluster is connected, of every kind that people connect."""
    engine = FakeDriver()
    kinds = (Cluster.Kind.SWARM, Cluster.Kind.KUBERNETES)
    before = {kind: (registry._makers[kind], registry._capabilities[kind]) for kind in kinds}
    for kind, (_make, can) in before.items():
        registry.register(kind, lambda _cluster: engine, can)
    yield engine
    for kind, (make, can) in before.items():
        registry.register(kind, make, can)


@dataclass
class Wakeups:
    """Operations that were to be woken, in order; `drain` works on them until nothing is left to do."""

    ids: list[str]

    def drain(self, *, most: int = 200) -> None:
        for _turn in range(most):
            if not self.ids:
                return
            operation_id = self.ids.pop(0)
            Operation.objects.filter(pk=operation_id).update(not_before=None)
            long = Operation.objects.filter(pk=operation_id, kind__in=long_kinds()).exists()
            (tasks.run_long_operation if long else tasks.run_operation)(operation_id)
        raise AssertionError(f"operations are still not over after {most} steps")


@pytest.fixture(autouse=True)
def wakeups(monkeypatch: pytest.MonkeyPatch) -> Wakeups:
    """No broker in fast tests: what would be sent is kept here and worked off by hand."""
    queue = Wakeups([])

    def send(name: str, args: tuple[str, ...] = (), **_options: Any) -> None:
        if name in ("operations.run", "operations.run_long"):
            queue.ids.append(args[0])

    monkeypatch.setattr("operations.wakeup.current_app.send_task", send)
    return queue


def person(name: str) -> User:
    return User.objects.create_user(name, password=PASSWORD)


def tenant_named(name: str) -> Tenant:
    organization = Organization.objects.create(name=name)
    return Tenant.objects.create(name=name, organization=organization, title=name.capitalize())


def with_token(text: str) -> APIClient:
    """A client that authenticates by this token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def actor_of(user: User) -> Actor:
    return Actor(user.pk, user.get_username(), rights_of(user), address="127.0.0.1", request_id="test")


CAST: "list[Cast]" = []  # empty, or the one that stays in the tables until a transactional test empties them


@dataclass
class Cast:
    """People by role. `owner`, `developer`, `releaser`, `guest`, `auditor` of acme; `outsider` owns globex."""

    owner: User
    developer: User
    releaser: User
    guest: User
    auditor: User
    outsider: User
    operator: User
    acme: Tenant
    globex: Tenant
    shop: Project
    store: Project  # of globex
    cluster: Cluster

    def actor(self, name: str) -> Actor:
        return actor_of(getattr(self, name))

    def environment(self, name: str, project: Project | None = None) -> Environment:
        return Environment.objects.get(project=project or self.shop, name=name)


@pytest.fixture(scope="session")
def _cast_in_tables(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The cast outside of all tests' transactions: made once, not three thousand times."""
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK_HASHERS), transaction.atomic():
        CAST.append(make_cast())


@pytest.fixture
def cast(_cast_in_tables: None, db: None, driver: FakeDriver) -> Cast:
    """Everybody and everything there is before a test begins."""
    return deepcopy(CAST[0]) if CAST else make_cast()


def make_cast() -> Cast:
    acme, globex = tenant_named("acme"), tenant_named("globex")
    people = {n: person(n) for n in ("owner", "developer", "releaser", "guest", "auditor", "outsider", "operator")}
    for name, role, tenant in (
        ("owner", "tenant.owner", acme),
        ("auditor", "tenant.auditor", acme),
        ("outsider", "tenant.owner", globex),
        ("operator", "platform.operator", None),
    ):
        Grant.objects.create(user=people[name], role=role, tenant=tenant)
    cluster = Cluster.objects.create(name="local", kind=Cluster.Kind.FAKE, address="fake://", state=Cluster.State.READY)
    ClusterOffer.objects.create(cluster=cluster)
    shop = create_project(actor_of(people["owner"]), acme, name="shop", title="Shop")
    store = create_project(actor_of(people["outsider"]), globex, name="store", title="Store")
    for owner, project in (("owner", shop), ("outsider", store)):
        for stage in ("dev", "test", "prod"):
            create_environment(actor_of(people[owner]), project, name=stage, stage=stage, cluster=cluster)
    for name, role in (("developer", "developer"), ("releaser", "release_manager"), ("guest", "guest")):
        Grant.objects.create(user=people[name], role=f"project.{role}", tenant=acme, project=shop)
    return Cast(**people, acme=acme, globex=globex, shop=shop, store=store, cluster=cluster)


@pytest.fixture
def place(cast: Cast) -> AppEnvironment:
    """App `hello` of shop, in dev, nothing deployed yet."""
    app = create_app(cast.actor("developer"), cast.shop, name="hello")
    return app.places.select_related("app", "environment__cluster", "project", "release").get(environment__name="dev")


@pytest.fixture
def running(
    cast: Cast, place: AppEnvironment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> AppEnvironment:
    """`hello` of shop, release 1, three instances running in dev."""
    with django_capture_on_commit_callbacks(execute=True):
        deploy(
            cast.actor("developer"),
            place,
            spec=from_image("berth/hello:1", name="web", instances=3, ports=[8080]),
        )
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    place.refresh_from_db()
    return place


@pytest.fixture
def browse(cast: Cast, client: Client) -> Callable[[str], Client]:
    """`browse("developer")`: a page client signed in as that person."""

    def sign_in(name: str) -> Client:
        client.force_login(getattr(cast, name))
        return client

    return sign_in


@pytest.fixture
def api(cast: Cast) -> Callable[[str], APIClient]:
    """`api("developer")`: an API client that is that person, by token."""

    def client_of(name: str) -> APIClient:
        client = APIClient()
        _token, text = Token.objects.create(getattr(cast, name), name=secrets.token_hex(4))
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return client_of
