"""What is another's costs what a missing thing costs: no question that is asked of the database tells them apart.

Clocks are not compared: an answer takes as long as what is done for it, and that is the same list of queries.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from audit.models import AuditEntry
from portal.checks import routes
from tenants.models import Session
from tests.abuse.test_isolation import MISSING, known
from tests.conftest import PASSWORD, Cast
from tests.rules import addresses
from tests.rules.sources import told
from tests.rules.test_addresses import NEEDS_MORE

pytestmark = pytest.mark.wide

__all__ = ["known"]

VALUE = re.compile(r"'[^']*'|\b[0-9a-f]{32}\b|\b\d+(\.\d+)?\b")
SIGN_IN = "/accounts/sign-in/"


def asked(client: Client, path: str) -> tuple[int, list[str]]:
    """(status, the queries without their values)."""
    with CaptureQueriesContext(connection) as queries:
        status = client.get(path).status_code
    return status, [VALUE.sub("?", query["sql"]) for query in queries]


def test_foreign_and_missing_ask_the_same_questions(
    known: dict[str, str],
    cast: Cast,
    browse: Callable[[str], Client],
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tenants.sessions.SEEN_EVERY", timedelta(days=1))  # not in the middle, on a slow machine
    client, faults, looked_at = browse("outsider"), [], 0
    client.get("/")  # where the session is noted as seen
    for route in routes():
        gaps = {name for _kind, name in addresses.GAP.findall(route.path)}
        if route.public or not gaps & set(MISSING) or not gaps <= set(known):
            continue
        more = NEEDS_MORE.get(route.name, "")
        foreign, missing = (
            asked(client, addresses.filled(route, lambda _kind, name, names=names: names[name]) + more)  # type: ignore[misc]  # bound at once
            for names in (known, known | MISSING)
        )
        looked_at += 1
        if foreign != missing:
            faults.append(f"/{route.path}: {foreign} is not {missing}")
    record_property("cells", looked_at)
    assert not faults, told(faults, "These cost more or less where another tenant has something:")
    assert looked_at > 80


def test_names_of_others_are_free(running: AppEnvironment, cast: Cast, api: Callable[[str], APIClient]) -> None:
    """That a name is taken is said within one tenant only."""
    client, own = api("outsider"), "/api/v1/tenants/globex/projects"
    assert client.post(own, {"name": "shop"}, format="json").status_code == 201
    assert client.post(f"{own}/store/apps", {"name": "hello"}, format="json").status_code == 201
    robot = {"name": "ci", "role": "project.guest"}
    assert client.post(f"{own}/store/robots", robot, format="json").status_code == 201


def test_numbers_and_the_audit_of_one_tenant_do_not_move_with_another(
    running: AppEnvironment, cast: Cast, api: Callable[[str], APIClient]
) -> None:
    """Whatever acme does, globex reads the same: its lists, its audit with its numbers, its quota."""
    client = api("outsider")
    paths = ["/tenants/globex/audit", "/tenants/globex/quota", "/tenants/globex/members", "/operations", "/tenants"]
    client.get("/api/v1/tenants")  # its use is noted
    before = {path: client.get(f"/api/v1{path}").content for path in paths}
    owner = api("owner")
    assert owner.post("/api/v1/tenants/acme/projects", {"name": "new"}, format="json").status_code == 201
    restart = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/restart"
    assert owner.post(restart).status_code == 202
    assert AuditEntry.objects.filter(tenant_id=cast.acme.pk, action="app.restart").exists()
    assert {path: client.get(f"/api/v1{path}").content for path in paths} == before


def test_a_session_is_new_at_the_door_and_dead_after_it(cast: Cast, client: Client) -> None:
    """One that somebody prepared is not the one that signs in, and a copy of it is worth nothing after signing out."""
    client.get(SIGN_IN)
    client.cookies["berth_session"] = prepared = "a" * 32
    assert client.post(SIGN_IN, {"username": "developer", "password": PASSWORD}).status_code == 302
    key = client.cookies["berth_session"].value
    assert key != prepared
    assert Session.objects.filter(session_key=key, user=cast.developer).exists()
    assert not Session.objects.filter(session_key=prepared).exists()
    copy = Client()
    copy.cookies["berth_session"] = key
    assert copy.get("/api/v1/me").status_code == 200
    client.post("/accounts/sign-out/")
    assert copy.get("/api/v1/me").status_code == 401
    assert client.post(SIGN_IN, {"username": "developer", "password": PASSWORD}).status_code == 302
    assert copy.get("/api/v1/me").status_code == 401, "nor after coming in again"
