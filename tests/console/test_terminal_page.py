"""The page of consoles: who gets it, what it says where none can be opened, and its policy."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from apps.models import AppEnvironment, Environment
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
PAGE = "/t/acme/p/shop/apps/hello/console/?environment=dev"
Browse = Callable[[str], Client]


def test_a_developer_gets_instances_shells_and_no_secrets(running: AppEnvironment, browse: Browse) -> None:
    answer = browse("developer").get(PAGE)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert all(f'<option value="{one.pk}">{one.service} {one.number}' in page for one in answer.context["instances"])
    assert len(answer.context["instances"]) == 3
    assert all(f"<option>{shell}</option>" in page for shell in ("sh", "bash", "ash", "zsh"))
    assert "style-src 'self' 'nonce-" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert 'id="console-reason"' not in page


def test_the_address_chooses_an_instance_of_this_place_only(running: AppEnvironment, browse: Browse) -> None:
    second = running.observed_instances.get(number=2)
    client = browse("developer")
    chosen = client.get(f"{PAGE}&instance={second.pk}").content.decode()
    assert f'<option value="{second.pk}" selected>' in chosen
    for odd in ("nonsense", str(running.pk), "../"):
        answer = client.get(PAGE, {"environment": "dev", "instance": odd})
        assert answer.status_code == 200
        assert " selected>" not in answer.content.decode()


@pytest.mark.parametrize(
    ("who", "status"), [("guest", 403), ("releaser", 403), ("outsider", 404), ("auditor", 404), ("owner", 200)]
)
def test_only_who_may_open_consoles_gets_the_page(
    running: AppEnvironment, browse: Browse, who: str, status: int
) -> None:
    assert browse(who).get(PAGE).status_code == status


def test_a_protected_environment_says_which_right_is_missing(
    cast: Cast, running: AppEnvironment, browse: Browse
) -> None:
    Environment.objects.filter(pk=running.environment_id).update(protected=True)
    denied = browse("developer").get(PAGE).content.decode()
    assert "You may not open a console in dev" in denied
    assert "console.protected" in denied
    assert "data-console-ask" not in denied
    asked = browse("owner").get(PAGE).content.decode()
    assert 'id="console-reason"' in asked


def test_it_says_what_to_do_where_nothing_runs(running: AppEnvironment, browse: Browse) -> None:
    page = browse("developer").get(PAGE.replace("=dev", "=test")).content.decode()
    assert "No instance runs here" in page
    assert "data-console=" not in page


def test_without_scripts_it_names_the_other_way(running: AppEnvironment, browse: Browse) -> None:
    page = browse("developer").get(PAGE).content.decode()
    inside = page.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "A console needs JavaScript" in inside
    assert "POST /api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/consoles" in inside


def test_what_the_script_is_given_is_whole(running: AppEnvironment, browse: Browse) -> None:
    answer = browse("developer").get(PAGE)
    setup = json.loads(answer.context["setup"])
    assert setup["api"].endswith("/environments/dev/consoles")
    assert all(setup["words"].values())
    assert not setup["asked"]
