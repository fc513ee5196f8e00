"""What somebody sees when it does not work: what, why, who can help, where to go; in the frame when signed in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import translation

from apps.models import AppEnvironment
from tests.conftest import Cast

Browse = Callable[[str], Client]
TOKEN = re.compile(r"[0-9A-Za-z]{64}|[0-9a-f]{32}")


def framed(text: str) -> bool:
    return 'class="frame"' in text


def test_a_denial_names_the_right_what_it_is_for_and_who_gives_it(running: AppEnvironment, browse: Browse) -> None:
    answer = browse("guest").post("/t/acme/p/shop/apps/hello/restart/?environment=dev")
    text = answer.content.decode()
    assert answer.status_code == 403
    assert framed(text)
    assert "app.deploy" in text
    assert "deploy, roll back, stop, start and restart in unprotected environments" in text
    assert "An owner or admin of tenant acme can give it to you." in text
    assert answer.headers["X-Request-ID"] in text


def test_missing_and_foreign_look_alike(running: AppEnvironment, browse: Browse) -> None:
    client = browse("outsider")
    foreign = client.get("/t/acme/p/shop/")
    missing = client.get("/t/none/p/none/")
    assert foreign.status_code == missing.status_code == 404
    plain = [
        TOKEN.sub("", one.content.decode()).replace("/t/acme/p/shop/", "X").replace("/t/none/p/none/", "X")
        for one in (foreign, missing)
    ]
    assert plain[0] == plain[1]
    assert framed(foreign.content.decode())
    assert not framed(Client().get("/nowhere/").content.decode())


def test_an_address_that_only_does_something_says_so(running: AppEnvironment, browse: Browse) -> None:
    answer = browse("developer").get("/t/acme/p/shop/apps/hello/restart/")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert "used by the button of a page" in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_with_the_way_on(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.developer)
    answer = client.post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "Load the page again" in answer.content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_fault_of_ours_has_its_id_language_and_theme(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, language: str, theme: str
) -> None:
    def break_down(*_args: Any, **_params: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.views.home.home_of", break_down)
    client = Client(raise_request_exception=False)
    client.force_login(cast.developer)
    client.cookies.load({"language": language, "theme": theme})
    answer = client.get("/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in text
    assert f'<html lang="{language}" data-bs-theme="{theme}">' in text
    assert "secret detail" not in text
    assert "Traceback" not in text
    with translation.override(language):
        assert translation.gettext("Try again") in text


def test_a_database_that_is_away_has_a_page_that_needs_none(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[..., Any]
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.developer)

    def away(*_args: Any, **_params: Any) -> None:
        raise OperationalError("could not connect to server: 10.0.0.7")

    monkeypatch.setattr("tenants.sessions.SessionStore._get_session_from_db", away)
    with django_assert_num_queries(0):
        answer = client.get("/")
    text = answer.content.decode()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["X-Request-ID"] in text
    assert "does not reach its database" in text
    assert "10.0.0.7" not in text


def test_a_script_gets_the_words_only(running: AppEnvironment, browse: Browse) -> None:
    answer = browse("guest").post("/t/acme/p/shop/apps/hello/restart/?environment=dev", headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "data-problem-title" in text
    assert "<html" not in text
