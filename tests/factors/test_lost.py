"""Lost factors are taken away by operators, and by owners of those who belong to their tenant alone."""

from collections.abc import Callable
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from tenants.models import Grant, Notice, Session, User
from tests.conftest import PASSWORD, Cast
from tests.factors.conftest import add_app, browser, inside, typed
from tests.factors.keys import code_of

Api = Callable[[str], APIClient]
LOST, MINE = "/accounts/lost-factors/", "/api/v1/me/factors"


def page_of(cast: Cast) -> str:
    return f"/t/acme/members/{cast.developer.pk}/"


def test_an_operator_takes_them_with_a_reason(cast: Cast, here: Client, with_app: list[str], client: Client) -> None:
    client.force_login(cast.operator)
    assert client.get(LOST).status_code == 200
    assert client.post(LOST, {"person": "developer", "reason": " "}).status_code == 422
    assert Authenticator.objects.exists()
    assert client.post(LOST, {"person": "developer", "reason": "came by with her badge"}).status_code == 302
    assert not Authenticator.objects.exists()
    assert not Session.objects.filter(user=cast.developer).exists()
    assert not inside(here)
    entry = AuditEntry.objects.get(action="factor.reset", result="accepted")
    assert (entry.actor_name, entry.before) == ("operator", {"app": True, "passkeys": 0})
    assert entry.detail["reason"] == "came by with her badge"
    assert (entry.detail["person"], entry.detail["sessions_ended"]) == ("developer", 1)
    told = Notice.objects.get(user=cast.developer, kind="factor.taken")
    assert told.params == {"by": "operator", "reason": "came by with her badge"}
    again = browser()
    assert typed(again).headers["Location"] == "/"
    assert "operator took your second factors away" in again.get("/accounts/notices/").content.decode()


def test_nobody_else_gets_there(cast: Cast, with_app: list[str], browse: Callable[[str], Client]) -> None:
    for name in ("owner", "developer", "auditor", "guest", "outsider"):
        client = browse(name)
        assert client.get(LOST).status_code == 403, name
        assert client.post(LOST, {"person": "developer", "reason": "x"}).status_code == 403, name
    assert Authenticator.objects.exists()


def test_an_owner_takes_those_of_a_member(cast: Cast, with_app: list[str], browse: Callable[[str], Client]) -> None:
    client = browse("owner")
    assert "Take the factors away" in client.get(page_of(cast)).content.decode()
    answer = client.post(f"{page_of(cast)}lost-factors/", {"reason": "lost her phone"})
    assert (answer.status_code, answer.headers["Location"]) == (302, page_of(cast))
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(action="factor.reset").tenant_id == cast.acme.pk
    assert "Take the factors away" not in client.get(page_of(cast)).content.decode()


def test_an_admin_does_not(cast: Cast, with_app: list[str], browse: Callable[[str], Client]) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    client = browse("guest")
    assert "Take the factors away" not in client.get(page_of(cast)).content.decode()
    assert client.post(f"{page_of(cast)}lost-factors/", {"reason": "x"}).status_code == 403
    assert Authenticator.objects.exists()


@pytest.mark.parametrize("where", ["globex", "platform"])
def test_an_owner_reaches_nobody_who_also_belongs_elsewhere(
    cast: Cast, with_app: list[str], api: Api, browse: Callable[[str], Client], where: str
) -> None:
    """Else the owner of any tenant could give a stranger a role there, and weaken the stranger's account."""
    tenant = {"globex": cast.globex, "platform": None}[where]
    Grant.objects.create(user=cast.developer, role="tenant.member" if tenant else "platform.auditor", tenant=tenant)
    assert "Take the factors away" not in browse("owner").get(page_of(cast)).content.decode()
    answer = api("owner").post(
        f"/api/v1/tenants/acme/members/{cast.developer.pk}/lost-factors", {"reason": "x"}, format="json"
    )
    assert answer.status_code == 403
    assert "operator" in answer.json()["hint"]
    stranger = f"/api/v1/tenants/globex/members/{cast.owner.pk}/lost-factors"
    assert api("outsider").post(stranger, {"reason": "x"}, format="json").status_code == 404
    assert Authenticator.objects.exists()


def test_nobody_takes_their_own_that_way(cast: Cast, api: Api) -> None:
    client = browser()
    typed(client, "operator")
    add_app(client)
    answer = api("operator").post("/api/v1/lost-factors", {"person": "operator", "reason": "x"}, format="json")
    assert answer.status_code == 403
    assert Authenticator.objects.exists()


def test_taking_over_http(cast: Cast, with_app: list[str], api: Api) -> None:
    sent = {"person": "developer", "reason": "lost"}
    assert api("owner").post("/api/v1/lost-factors", sent, format="json").status_code == 403
    assert api("operator").post("/api/v1/lost-factors", sent | {"person": "x"}, format="json").status_code == 422
    answer = api("operator").post("/api/v1/lost-factors", sent, format="json")
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    assert api("operator").post("/api/v1/lost-factors", sent, format="json").status_code == 409


def test_the_command_for_when_nobody_can_come_in(cast: Cast, with_app: list[str]) -> None:
    said = StringIO()
    call_command("take_factors", "developer", "--reason", "by hand", stdout=said)
    assert "1 second factors of developer" in said.getvalue()
    assert AuditEntry.objects.get(action="factor.reset").actor_name == "manage.py"
    for name in ("developer", "nobody-here"):
        with pytest.raises(CommandError):
            call_command("take_factors", name, "--reason", "by hand")


def test_factors_of_keystones_people_are_not_ours(cast: Cast, with_app: list[str], api: Api) -> None:
    User.objects.filter(pk=cast.developer.pk).update(source="elsewhere")
    sent = {"person": "developer", "reason": "lost"}
    answer = api("operator").post("/api/v1/lost-factors", sent, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "kept_elsewhere")


# --- one's own over HTTP -----------------------------------------------------------------------------------------


def test_own_factors_over_http(cast: Cast, here: Client, with_app: list[str], api: Api) -> None:
    client = api("developer")
    shown = client.get(MINE).json()
    (one,) = shown["results"]
    assert (one["kind"], shown["recovery_codes_left"]) == ("totp", 10)
    assert set(one) == {"id", "kind", "name", "host", "created_at", "last_used_at"}
    assert api("guest").get(MINE).json() == {"results": [], "recovery_codes_left": None}
    assert api("guest").post(f"{MINE}/{one['id']}/remove", {"password": PASSWORD}, format="json").status_code == 404
    answer = client.delete(f"{MINE}/{one['id']}")
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_needed")
    codes = client.post(f"{MINE}/recovery-codes", {"code": code_of(cast.developer)}, format="json").json()["codes"]
    assert len(codes) == 10
    for wrong in ({}, {"password": "wrong"}, {"code": "000000"}, {"password": PASSWORD, "code": "1"}):
        assert client.post(f"{MINE}/{one['id']}/remove", wrong, format="json").status_code == 422
    assert client.post(f"{MINE}/{one['id']}/remove", {"password": PASSWORD}, format="json").status_code == 204
    assert not Authenticator.objects.exists()


def test_guessing_over_http_is_throttled(cast: Cast, with_app: list[str], api: Api) -> None:
    client = api("developer")
    for _turn in range(5):
        assert client.post(f"{MINE}/recovery-codes", {"password": "wrong"}, format="json").status_code == 422
    answer = client.post(f"{MINE}/recovery-codes", {"password": PASSWORD}, format="json")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")


def test_a_browser_that_just_came_may_delete(cast: Cast, here: Client, with_app: list[str]) -> None:
    (one,) = here.get(MINE).json()["results"]
    assert here.delete(f"{MINE}/{one['id']}").status_code == 204
    assert not Authenticator.objects.exists()
