"""What the cluster was given: a page and its twin over HTTP, in the engine's words, with every value covered."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from apps.selectors.given import JSON, given
from apps.services import deploy
from apps.specification import read_data
from backends import registry
from backends.contract import Driver
from backends.kubernetes.access import Access
from backends.kubernetes.driver import KubernetesDriver
from backends.models import Cluster
from backends.swarm.driver import SwarmDriver
from tests.conftest import Cast, Wakeups

RELEASE = "/t/acme/p/shop/apps/hello/releases/1/"
API = "/api/v1/tenants/acme/projects/shop/apps/hello/releases/1/given"
CANARY = "canary-of-given"

# no engine is behind these: looking must not ask one
ELSEWHERE = {
    "Kubernetes YAML": lambda: KubernetesDriver(Access("https://127.0.0.1:1")),
    "Docker Swarm JSON": lambda: SwarmDriver("tcp://127.0.0.1:1"),
}


@pytest.fixture
def telling(
    cast: Cast, running: AppEnvironment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> AppEnvironment:
    """Release 2 has a variable whose value nobody is to read here."""
    service = {"image": "berth/hello:1", "environment": {"WORD": CANARY}, "ports": [8080], "user": "app"}
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), running, spec=read_data({"services": {"web": service}}).specification)
    wakeups.drain()
    return running


def use(driver: Driver) -> None:
    registry.close_all()
    registry.register(Cluster.Kind.FAKE, lambda _cluster: driver, driver.capabilities())


def test_the_page_shows_it_in_yaml_and_in_json(running: AppEnvironment, browse: Callable[[str], Client]) -> None:
    client = browse("guest")
    page = client.get(f"{RELEASE}given/?environment=dev")
    assert page.status_code == 200
    said = page.content.decode()
    assert "What the cluster of dev was given." in said
    assert "berth/hello" in said
    assert 'data-does="copy"' in said
    assert "&quot;image&quot;" in client.get(f"{RELEASE}given/?environment=dev&as=json").content.decode()
    assert f"{RELEASE}given/?environment=test&amp;as=yaml" in said
    assert "would be given" in client.get(f"{RELEASE}given/?environment=test").content.decode()


def test_release_and_settings_lead_there(running: AppEnvironment, browse: Callable[[str], Client]) -> None:
    client = browse("guest")
    for page in (RELEASE, "/t/acme/p/shop/apps/hello/settings/?environment=dev"):
        assert f"{RELEASE}given/?environment=dev" in client.get(page).content.decode()


@pytest.mark.parametrize("speaks", list(ELSEWHERE))
def test_each_engine_has_its_own_words_and_is_not_asked(
    speaks: str, running: AppEnvironment, browse: Callable[[str], Client], api: Callable[[str], APIClient]
) -> None:
    use(ELSEWHERE[speaks]())
    assert speaks in browse("guest").get(f"{RELEASE}given/?environment=dev").content.decode()
    found = api("guest").get(f"{API}?environment=dev").json()
    assert (found["speaks"], found["serves"], found["why_not"]) == (speaks, True, "")
    assert {one["service"] for one in found["documents"]} == {"", "web"}


@pytest.mark.parametrize("speaks", ["Docker Swarm JSON"])
def test_values_of_variables_stand_nowhere(
    speaks: str, telling: AppEnvironment, browse: Callable[[str], Client], api: Callable[[str], APIClient]
) -> None:
    use(ELSEWHERE[speaks]())
    for way in ("yaml", "json"):
        said = browse("owner").get(f"{RELEASE.replace('/1/', '/2/')}given/?environment=dev&as={way}").content.decode()
        assert "WORD" in said
        assert CANARY not in said
    answer = api("owner").get(f"{API.replace('/1/', '/2/')}?environment=dev")
    assert CANARY not in answer.content.decode()


def test_what_an_engine_would_refuse_is_said_instead(
    telling: AppEnvironment, browse: Callable[[str], Client], api: Callable[[str], APIClient]
) -> None:
    use(ELSEWHERE["Kubernetes YAML"]())
    second = RELEASE.replace("/1/", "/2/")
    said = browse("owner").get(f"{second}given/?environment=dev").content.decode()
    assert "the user app has to be written as a number" in said
    found = api("owner").get(f"{API.replace('/1/', '/2/')}?environment=dev").json()
    assert found["documents"] == []
    assert "number" in found["why_not"]


def test_the_text_reads_back(running: AppEnvironment, api: Callable[[str], APIClient]) -> None:
    use(ELSEWHERE["Kubernetes YAML"]())
    assert running.release is not None
    found = given(running, running.release)
    whole = [one.document for one in found.documents]
    assert list(yaml.safe_load_all(found.text())) == whole == json.loads(found.text(JSON))


def test_others_see_nothing(running: AppEnvironment, api: Callable[[str], APIClient]) -> None:
    assert api("outsider").get(f"{API}?environment=dev").status_code == 404
    assert api("guest").get(f"{API}?environment=nowhere").status_code == 404
    assert api("guest").get(API).status_code == 400
