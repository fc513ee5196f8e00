"""Whoever's second factors change is told, for it may not have been they who changed them."""

from html import unescape

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tenants.models import Notice, Token, User
from tests.conftest import PASSWORD, Cast
from tests.factors.conftest import APP, SECURITY, add_app, add_passkey
from tests.factors.keys import Key
from tests.factors.test_pages import factor_of

NOTICES = "/accounts/notices/"


def told(user: User) -> list[tuple[str, str]]:
    """(kind, level) of all there is, the oldest first."""
    return list(Notice.objects.filter(user=user).order_by("id").values_list("kind", "level"))


def read(client: Client) -> str:
    return unescape(client.get(NOTICES).content.decode())


def test_a_factor_added_and_removed_is_told_with_where_it_came_from(cast: Cast, here: Client) -> None:
    add_app(here)
    assert told(cast.developer) == [("factor.added", "ok")]
    page = read(here)
    assert "A second factor was added to your account" in page
    assert "Your authenticator app. It was done from 127.0.0.1. If it was not you, remove it" in page
    assert add_passkey(here, Key(), "<b>100 %s</b>").status_code == 302
    assert "The passkey “<b>100 %s</b>”. It was done from 127.0.0.1." in read(here)
    assert "<b>100" not in here.get(NOTICES).content.decode()
    here.post(f"{SECURITY}{factor_of(cast.developer, 'webauthn')}/remove/")
    assert told(cast.developer)[2:] == [("factor.removed", "warn")]
    assert "Your password alone" not in read(here), "the app is still there"
    here.post(f"{SECURITY}{factor_of(cast.developer)}/remove/")
    assert told(cast.developer)[3:] == [("factor.removed", "warn")]
    assert "Your password alone lets you in now. If it was not you, change it at once." in read(here)
    assert set(Notice.objects.values_list("user", flat=True)) == {cast.developer.pk}, "and nobody else"
    assert set(Notice.objects.values_list("link", flat=True)) == {SECURITY}


def test_what_was_refused_is_not_told(cast: Cast, here: Client) -> None:
    sealed = here.get(APP).context["offer"].sealed
    assert here.post(APP, {"sealed": sealed, "code": "000000"}).status_code == 422
    assert add_passkey(here, Key(origin="http://berth.evil")).status_code == 422
    assert told(cast.developer) == []


def test_a_program_that_removes_one_is_told_of_too(cast: Cast, with_app: list[str]) -> None:
    _row, text = Token.objects.create(cast.developer, name="t")
    client = APIClient(REMOTE_ADDR="192.0.2.9", HTTP_AUTHORIZATION=f"Bearer {text}")
    sent = {"password": PASSWORD}
    answer = client.post(f"/api/v1/me/factors/{factor_of(cast.developer)}/remove", sent, format="json")
    assert answer.status_code == 204, answer.json()
    params = Notice.objects.get(kind="factor.removed").params
    assert (params["address"], params["protected"]) == ("192.0.2.9", False)
    notice, _earlier = client.get("/api/v1/me/notices").json()["results"]
    assert notice["title"] == "A second factor was removed from your account"
    assert "192.0.2.9" in notice["detail"]


def test_new_recovery_codes_are_told_and_the_first_ones_not(cast: Cast, here: Client, with_app: list[str]) -> None:
    assert [kind for kind, _level in told(cast.developer)] == ["factor.added"]
    assert here.post(f"{SECURITY}codes/").status_code == 200
    assert [kind for kind, _level in told(cast.developer)] == ["factor.added", "factor.codes_renewed"]
    assert "The old ones are good for nothing. It was done from 127.0.0.1." in read(here)


def test_who_loses_all_to_an_operator_is_told_once(cast: Cast, with_app: list[str]) -> None:
    from tenants.factors.services import reset_factors

    reset_factors(cast.actor("operator"), None, user=cast.developer, reason="lost")
    assert [kind for kind, _level in told(cast.developer)] == ["factor.added", "factor.taken"]


@pytest.mark.parametrize("kind", ["factor.added", "factor.removed", "factor.codes_renewed"])
def test_a_notice_with_nothing_in_it_is_still_a_sentence(cast: Cast, here: Client, kind: str) -> None:
    Notice.objects.create(user=cast.developer, kind=kind, level="ok", params={})
    page = read(here)
    assert "your account" in page
    assert "It was done from" not in page
