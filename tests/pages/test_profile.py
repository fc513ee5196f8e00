"""One's own account: profile, sessions, tokens, password."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from tenants.models import Session, Token
from tests.conftest import PASSWORD, Cast

Browse = Callable[[str], Client]
PROFILE = {"title": "Dana", "language": "zh-hans", "theme": "dark", "time_zone": "Asia/Shanghai", "reader": "on"}


def elsewhere(name: str) -> Client:
    """Another browser of the same person."""
    other = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    answer = other.post("/accounts/sign-in/", {"username": name, "password": PASSWORD})
    assert answer.status_code == 302
    return other


def test_the_profile_is_kept_drawn_and_recorded(browse: Browse, cast: Cast) -> None:
    client = browse("developer")
    assert client.post("/accounts/profile/", PROFILE).status_code == 302
    page = client.get("/").content.decode()
    assert '<html lang="zh-hans" data-bs-theme="dark">' in page
    assert 'data-keys="off"' in page
    assert "data-reader" in page
    assert "Dana" in page
    entry = AuditEntry.objects.get(action="account.update")
    assert entry.actor_name == "developer"
    assert entry.after == PROFILE | {"keys": False, "reader": True}
    assert entry.before["title"] == ""


def test_a_wrong_value_stands_beside_its_field_and_changes_nothing(browse: Browse, cast: Cast) -> None:
    answer = browse("developer").post("/accounts/profile/", PROFILE | {"time_zone": "Mars/Base", "title": "x" * 200})
    assert answer.status_code == 422
    assert answer.content.decode().count("has-error") == 2
    cast.developer.refresh_from_db()
    assert cast.developer.title == ""


def test_times_are_those_of_ones_own_zone(browse: Browse, cast: Cast) -> None:
    cast.developer.time_zone = "Asia/Shanghai"
    cast.developer.save()
    assert (
        "+0800" in browse("developer").get("/accounts/sessions/").content.decode()
        or "CST" in browse("developer").get("/accounts/sessions/").content.decode()
    )
    cast.developer.time_zone = "No/Where"
    cast.developer.save()
    assert browse("developer").get("/accounts/sessions/").status_code == 200


def test_theme_and_language_of_the_frame_are_kept_in_the_profile(browse: Browse, cast: Cast) -> None:
    client = browse("developer")
    client.post("/theme/", {"theme": "dark"})
    client.post("/i18n/setlang/", {"language": "zh-hans"})
    cast.developer.refresh_from_db()
    assert (cast.developer.theme, cast.developer.language) == ("dark", "zh-hans")
    assert client.get("/").content.decode().count('lang="zh-hans" data-bs-theme="dark"') == 1
    client.post("/i18n/setlang/", {"language": "xx"})
    cast.developer.refresh_from_db()
    assert cast.developer.language == "zh-hans"


def test_sessions_are_listed_and_ended(cast: Cast, client: Client) -> None:
    here, other = elsewhere("developer"), elsewhere("developer")
    stranger = elsewhere("guest")
    text = here.get("/accounts/sessions/").content.decode()
    assert text.count("Firefox on Linux") == 2
    assert text.count("this one") == 1
    ids = re.findall(r"/accounts/sessions/([0-9a-f-]{36})/end/", text)
    keys = [one.cookies["berth_session"].value for one in (here, other)]
    assert not [key for key in keys if key in text], "the key itself is never shown"
    assert stranger.post(f"/accounts/sessions/{ids[1]}/end/").status_code == 404
    assert here.post(f"/accounts/sessions/{ids[1]}/end/").status_code == 302
    assert other.get("/").status_code == 302
    assert here.get("/").status_code == 200
    assert AuditEntry.objects.filter(action="session.end", actor_name="developer").count() == 1
    elsewhere("developer")
    here.post("/accounts/sessions/end-others/")
    assert Session.objects.filter(user=cast.developer).count() == 1
    assert here.get("/").status_code == 200
    assert stranger.get("/").status_code == 200


def test_ones_own_session_ends_at_the_door(cast: Cast) -> None:
    here = elsewhere("developer")
    own = Session.objects.get(user=cast.developer)
    assert here.post(f"/accounts/sessions/{own.id}/end/").headers["Location"] == "/accounts/sign-in/"
    assert here.get("/").status_code == 302


def test_a_new_password_signs_out_everywhere_else(cast: Cast) -> None:
    here, other = elsewhere("developer"), elsewhere("developer")
    fields = {"old_password": "wrong", "new_password1": "quite another one", "new_password2": "quite another one"}
    assert here.post("/accounts/password/", fields).status_code == 422
    answer = here.post("/accounts/password/", fields | {"old_password": PASSWORD})
    assert answer.status_code == 302
    assert here.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert Session.objects.filter(user=cast.developer).count() == 1
    kept = str(list(AuditEntry.objects.filter(action="account.password").values()))
    assert "quite another one" not in kept
    cast.developer.refresh_from_db()
    assert cast.developer.check_password("quite another one")


def test_a_token_is_made_shown_once_and_revoked(browse: Browse, cast: Cast) -> None:
    client = browse("developer")
    text = client.post(
        "/accounts/tokens/", {"name": "pipeline", "days": "7", "place": "acme/shop", "scopes": ["app.deploy"]}
    ).content.decode()
    secret = re.findall(r"berth_[0-9A-Za-z]+", text)[0]
    token = Token.objects.get(name="pipeline")
    assert (token.scopes, str(token.project)) == (["app.deploy"], "acme/shop")
    again = client.get("/accounts/tokens/").content.decode()
    assert secret not in again
    assert "pipeline" in again
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v1/operations").status_code in (200, 403)
    client.post(f"/accounts/tokens/{token.id}/revoke/")
    assert program.get("/api/v1/operations").status_code == 401


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Name it."),
        ({"place": "globex"}, "has-error"),
        ({"scopes": ["no.such"]}, "has-error"),
        ({"days": "9999"}, "has-error"),
    ],
)
def test_a_token_that_cannot_be_is_not_made(browse: Browse, changes: dict[str, object], said: str) -> None:
    fields = {"name": "one", "days": "7", "place": "", "scopes": []}
    answer = browse("developer").post("/accounts/tokens/", fields | changes)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Token.objects.filter(name="one").exists()


def test_a_name_that_is_taken_says_so(browse: Browse, cast: Cast) -> None:
    Token.objects.create(cast.developer, name="one")
    answer = browse("developer").post("/accounts/tokens/", {"name": "one", "days": "7", "place": ""})
    assert answer.status_code == 422
    assert "already" in answer.content.decode()


def test_the_profile_over_http(api: Callable[[str], APIClient], cast: Cast) -> None:
    client = api("developer")
    changed = client.patch("/api/v1/me", {"title": "Dana", "keys": False}, format="json")
    assert changed.status_code == 200
    assert client.get("/api/v1/me").json()["title"] == "Dana"
    wrong = client.patch("/api/v1/me", {"time_zone": "Mars/Base"}, format="json")
    assert wrong.status_code == 422
    elsewhere("developer")
    (session,) = client.get("/api/v1/me/sessions").json()["results"]
    assert (session["current"], session["address"]) == (False, "127.0.0.1")
    assert client.delete(f"/api/v1/me/sessions/{session['id']}").status_code == 204
    assert api("guest").delete(f"/api/v1/me/sessions/{session['id']}").status_code == 404
