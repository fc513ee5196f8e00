"""Titles, notes, variables and what an engine says, full of markup, template syntax and formulas: only ever text."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps import services as apps
from apps.models import App, AppEnvironment, ObservedInstance
from apps.specification import read_data
from audit.models import AuditEntry
from audit.services import Line, record
from backends.models import Cluster
from core.access import Actor
from operations import services
from operations.models import Operation
from portal.checks import routes
from tenants.models import Project, Tenant, Token, User
from tests.abuse.test_isolation import ask, known
from tests.conftest import Cast
from tests.rules import addresses

pytestmark = pytest.mark.wide

__all__ = ["known"]

MARK = "</script></title></textarea>\"'><b data-evil>{{7*7}}{%%}${7*7}\u202e"
RAW = "<b data-evil"
IN_COMPOSE = MARK.replace("$", "$$")  # where $ begins a variable
FORMULAS = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]
GAPS = {"service": "web", "seq": "1", "code": "denied", "notice": addresses.NOTHING, "session": addresses.NOTHING}


@pytest.fixture
def hostile(known: dict[str, str], running: AppEnvironment, cast: Cast) -> dict[str, str]:
    """Everything that somebody outside can name or say, says MARK. By the usual ways where there is one."""
    web = {
        "image": "berth/hello:2",
        "environment": {"EVIL": IN_COMPOSE},
        "labels": {"evil": IN_COMPOSE},
        "command": ["sh", "-c", IN_COMPOSE],
    }
    operation = apps.deploy(
        cast.actor("developer"), running, spec=read_data({"services": {"web": web}}).specification, note=MARK
    )
    mine = services.claim(operation.pk)
    assert mine is not None
    services.fail(mine, "engine_refused", {"said": MARK})
    services.settle(mine, Operation.State.FAILED)
    App.objects.update(title=MARK)
    for model in (Project, Tenant):
        model.objects.update(title=MARK)
    Cluster.objects.update(title=MARK)
    Token.objects.filter(name="owned").update(name=MARK[:60])
    User.objects.filter(pk=cast.developer.pk).update(title=MARK)
    reason = {"code": "engine_refused", "params": {"said": MARK, "service": "web", "image": MARK}}
    ObservedInstance.objects.filter(place=running).update(reason=reason, state="failed")
    actor = Actor(cast.developer.pk, MARK[:100], client=MARK)
    for formula in FORMULAS:
        record(
            actor,
            Line("app.update", tenant_id=cast.acme.pk, target_name=formula + MARK[:100], detail={"x": MARK}),
            result=AuditEntry.Result.DONE,
        )
    return known | GAPS


def pages(known: dict[str, str]) -> list[str]:
    """The addresses that can be looked at with what there is; others have tests of their own."""
    found = []
    for route in routes():
        if route.path.startswith(("api/", "accounts/sign-out")):
            continue
        if all(name in known for _kind, name in addresses.GAP.findall(route.path)):
            found.append(addresses.filled(route, lambda _kind, name: known[name]))
    return found


def test_no_page_takes_it_for_more_than_text(hostile: dict[str, str], browse: Callable[[str], Client]) -> None:
    client, shown, wrong = browse("owner"), 0, []
    for address in pages(hostile):
        answer = client.get(address)
        if "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        text = answer.content.decode()
        shown += "&lt;b data-evil&gt;" in text
        wrong += [address] if RAW in text or "49{" in text else []
    assert wrong == []
    assert shown > 8, "it was hardly shown anywhere, so this proves little"


def test_titles_and_data_for_scripts_hold_it_safely(hostile: dict[str, str], browse: Callable[[str], Client]) -> None:
    client = browse("owner")
    for address in pages(hostile):
        answer = client.get(address)
        if "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        text = answer.content.decode()
        for title in re.findall(r"<title>(.*?)</title>", text, re.DOTALL):
            assert "<" not in title, address
        for data in re.findall(r"<script[^>]*type=\"application/json\"[^>]*>(.*?)</script>", text, re.DOTALL):
            assert "<" not in data, address


def test_the_api_says_it_as_json_that_no_browser_reads_as_a_page(hostile: dict[str, str], cast: Cast) -> None:
    _token, text = Token.objects.create(cast.owner, name="reader")
    for path in ("apps", "apps/hello", "apps/hello/deployments", "environments"):
        status, headers, body = ask(text, "get", f"/api/v1/tenants/acme/projects/shop/{path}")
        assert status == 200
        assert headers["Content-Type"].startswith("application/json")
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert RAW.encode() in ask(text, "get", "/api/v1/tenants/acme/projects/shop/apps/hello")[2]


def test_a_refused_page_repeats_nothing_as_markup(cast: Cast, browse: Callable[[str], Client]) -> None:
    client = browse("owner")
    for answer in (
        client.get("/t/acme/p/%3Cb%20data-evil%3E/"),
        client.get("/t/acme/audit/", {"q": MARK, "actor": MARK, "action": MARK, "since": MARK}),
        client.get("/t/acme/p/shop/deploy/", {"app": MARK, "environment": MARK}),
        client.post("/accounts/sign-in/", {"username": MARK, "password": MARK, "next": MARK}),
        client.post("/t/acme/p/shop/deploy/", {"name": MARK, "image": MARK, "environment": MARK, "yaml": MARK}),
    ):
        assert RAW not in answer.content.decode()


def test_a_result_that_is_said_once_is_text(hostile: dict[str, str], browse: Callable[[str], Client]) -> None:
    """The toast after an action names the app by its title."""
    client = browse("owner")
    answer: Any = client.post("/t/acme/p/shop/apps/hello/rename/", {"title": MARK}, follow=True)
    assert RAW not in answer.content.decode()


def test_no_spreadsheet_takes_a_cell_for_a_formula(hostile: dict[str, str], cast: Cast) -> None:
    _token, text = Token.objects.create(cast.owner, name="reader")
    _status, headers, body = ask(text, "get", "/api/v1/tenants/acme/audit/export?format=csv")
    assert headers["Content-Disposition"].startswith("attachment;")
    rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert len([cell for cell in cells if cell.startswith(("'=", "'+", "'-", "'@", "'\t", "'\r"))]) >= len(FORMULAS)


def test_the_audit_keeps_it_as_it_was_sent(
    hostile: dict[str, str], cast: Cast, api: Callable[[str], APIClient]
) -> None:
    api("owner").patch("/api/v1/tenants/acme/projects/shop/apps/hello", {"title": MARK[:100]}, format="json")
    kept = AuditEntry.objects.filter(action="app.update").latest("seq")
    assert (kept.after or {}).get("title") == MARK[:100]
