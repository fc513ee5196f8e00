"""The audit as auditors read it: list, filters, one entry, proof."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.models import AppEnvironment
from apps.services import update_app
from audit.models import AuditEntry
from audit.services import ACTIONS, Line, record
from audit.words import _WORDS, action_words
from core.access import Actor
from core.errors import Denied
from core.triggers import allow_statements, refuse_statements
from tests.conftest import Cast

AUDIT = "/t/acme/audit/"
Browse = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _nothing_verified() -> None:
    cache.clear()


def entry_of(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("seq")


def test_entries_stand_newest_first_in_words(browse: Browse, running: AppEnvironment) -> None:
    answer = browse("auditor").get(AUDIT)
    said = [line.what for line in answer.context["lines"]]
    assert said.index("end of deployment") < said.index("deploy, release 1") < said.index("create app")
    page = answer.content.decode()
    assert "deploy, release 1" in page
    assert "hello in dev" in page
    assert "accepted" in page


@pytest.mark.parametrize("name", ["developer", "guest", "releaser"])
def test_without_the_permission_the_page_says_who_gives_it(browse: Browse, running: AppEnvironment, name: str) -> None:
    client = browse(name)
    for address in (AUDIT, f"{AUDIT}1/"):
        answer = client.get(address)
        assert answer.status_code == 403
        assert "audit.view" in answer.content.decode()
        assert "deploy, release 1" not in answer.content.decode()
    assert client.post(f"{AUDIT}verify/").status_code == 403


def test_another_tenants_audit_is_not_there(browse: Browse, running: AppEnvironment) -> None:
    client = browse("outsider")
    assert client.get(AUDIT).status_code == 404
    assert client.get(f"{AUDIT}1/").status_code == 404
    assert "hello" not in client.get("/t/globex/audit/").content.decode()


def test_filters_narrow_and_stand_as_chips(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    with pytest.raises(Denied):
        update_app(cast.actor("guest"), running.app, title="mine")
    client = browse("auditor")
    denied = client.get(f"{AUDIT}?result=denied&actor=guest&action=app.update")
    assert [line.entry.action for line in denied.context["lines"]] == ["app.update"]
    page = denied.content.decode()
    assert "Remove the filter Who" in page
    assert "Remove the filter Result" in page
    named = client.get(f"{AUDIT}?q=HELLO%20in")
    assert {line.on for line in named.context["lines"]} == {"hello in dev"}
    assert "No entry like this" in client.get(f"{AUDIT}?until=2020-01-01T00:00").content.decode()


def test_a_damaged_filter_narrows_nothing(browse: Browse, running: AppEnvironment) -> None:
    client = browse("auditor")
    whole = len(client.get(AUDIT).context["lines"])
    for query in (
        "result=perhaps",
        "since=tomorrow",
        "action=no.such",
        "cursor=%00",
        "cursor=o99999999999999999999999999",
    ):
        answer = client.get(f"{AUDIT}?{query}")
        assert answer.status_code == 200
        assert len(answer.context["lines"]) == whole


def test_one_entry_opens_beside_the_list(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    update_app(cast.actor("developer"), running.app, title="Hello, world")
    entry = entry_of("app.update")
    answer = browse("auditor").get(f"{AUDIT}{entry.seq}/?actor=developer")
    page = answer.content.decode()
    assert 'class="side-sheet is-narrow"' in page
    assert "title: Hello, world" in page
    assert entry.hash in page
    assert entry.previous_hash in page
    assert answer.context["earlier"].startswith(f"{AUDIT}{entry.seq - 2}") or answer.context["earlier"]
    assert "actor=developer" in answer.context["earlier"]
    assert 'data-key="["' in page


def test_the_entries_of_one_request_lead_to_one_another(browse: Browse, running: AppEnvironment) -> None:
    asked, ended = entry_of("app.deploy"), entry_of("app.deploy.run")
    assert asked.request_id == ended.request_id
    page = browse("auditor").get(f"{AUDIT}{asked.seq}/").content.decode()
    assert "Of the same request" in page
    assert f"{AUDIT}{ended.seq}/" in page


def test_an_entry_that_is_not_there_is_a_404(browse: Browse, running: AppEnvironment) -> None:
    assert browse("auditor").get(f"{AUDIT}99999/").status_code == 404


def test_verifying_says_how_far_when_and_by_whom(browse: Browse, running: AppEnvironment) -> None:
    client = browse("auditor")
    assert "Not verified yet" in client.get(AUDIT).content.decode()
    assert client.get(f"{AUDIT}verify/").status_code == 405
    assert client.post(f"{AUDIT}verify/").status_code == 302
    newest = AuditEntry.objects.filter(tenant_id=running.tenant_id).latest("seq")
    page = client.get(AUDIT).content.decode()
    assert f"Chain verified until entry {newest.seq}" in page
    assert "by auditor on" in page


def test_a_changed_entry_is_found_and_named(browse: Browse, running: AppEnvironment) -> None:
    entry = entry_of("app.create")
    with connection.cursor() as cursor:
        for statement in allow_statements(connection.vendor, "audit_auditentry", "update"):
            cursor.execute(statement)
        change = "UPDATE audit_auditentry SET actor_name = 'mallory' WHERE seq = %s AND chain = %s"
        cursor.execute(change, [entry.seq, entry.chain])
        for statement in refuse_statements(connection.vendor, "audit_auditentry", "update"):
            cursor.execute(statement)
    client = browse("auditor")
    client.post(f"{AUDIT}verify/")
    page = client.get(AUDIT).content.decode()
    assert f"The chain is broken at entry {entry.seq}" in page
    assert 'class="proof is-bad"' in page


def test_looking_does_not_walk_the_chain(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    client = browse("auditor")
    few = _queries(client)
    for number in range(120):
        _note(cast, f"thing {number}")
    assert _queries(client) == few


def test_pages_lead_on_and_back(browse: Browse, cast: Cast) -> None:
    for number in range(60):
        _note(cast, f"thing {number}")
    client = browse("auditor")
    first = client.get(AUDIT)
    second = client.get(f"{AUDIT}?cursor={first.context['found'].next}")
    numbers = [line.entry.seq for page in (first, second) for line in page.context["lines"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len(numbers) > 60
    back = client.get(f"{AUDIT}?cursor={second.context['found'].previous}")
    assert [line.entry.seq for line in back.context["lines"]] == numbers[:50]


def test_texts_of_an_entry_are_text(browse: Browse, cast: Cast) -> None:
    entry = _note(cast, "<script>alert(1)</script>")
    page = browse("auditor").get(f"{AUDIT}{entry.seq}/").content.decode()
    assert "<script>alert(1)" not in page


def test_an_action_without_words_shows_its_code() -> None:
    assert action_words("moon.land") == "moon.land"
    assert action_words("app.deploy") != "app.deploy"


def test_every_command_has_words() -> None:
    mute = {action for action in ACTIONS if action not in _WORDS and not action.startswith(("test.", "check."))}
    assert not mute, f"Give these their words in audit/words.py: {sorted(mute)}"


def test_exports_are_those_of_the_api(browse: Browse, running: AppEnvironment) -> None:
    page = browse("auditor").get(f"{AUDIT}?actor=developer").content.decode()
    assert "/api/v1/tenants/acme/audit/export?format=csv&amp;actor=developer" in page


def _note(cast: Cast, name: str) -> AuditEntry:
    line = Line("app.update", tenant_id=cast.acme.pk, target_kind="app", target_name=name, detail={"said": name})
    return record(Actor(cast.owner.pk, "owner", request_id=""), line, result=AuditEntry.Result.ACCEPTED)


def _queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(AUDIT).status_code == 200
    return len(caught)
