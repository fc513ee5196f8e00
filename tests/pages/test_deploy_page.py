"""The deploy panel."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from apps.models import App, AppEnvironment, Deployment, Release
from backends.contract import ImageInfo
from images.services import offer_image
from operations.models import Operation
from tests.conftest import Cast

ADDRESS = "/t/acme/p/shop/deploy/"
Browse = Callable[[str], Client]
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture
def images(cast: Cast) -> None:
    """berth/hello:1 and :2, each with a port and a check."""
    from backends.contract import HealthCheck

    for tag, mark in (("1", "a"), ("2", "b")):
        digest = f"sha256:{mark * 64}"
        info = ImageInfo(
            reference=f"berth/hello:{tag}",
            pinned=f"berth/hello@{digest}",
            digest=digest,
            size_bytes=2_000_000,
            ports=("8080/tcp",),
            health=HealthCheck(("wget", "-q", "http://127.0.0.1:8080/healthz")),
        )
        operator = cast.actor("operator")
        offer_image(operator, cast.cluster, repository="berth/hello", tag=tag, info=info)


def text_of(page: Any) -> str:
    return str(page.content.decode())


def filled(client: Client, address: str = ADDRESS, **typed: str) -> dict[str, str]:
    """What a browser would send of the panel at an address, with some fields typed over."""
    return fields_of(text_of(client.get(address))) | typed


def fields_of(text: str) -> dict[str, str]:
    """Names and values of the panel's fields, as a browser has them before anybody types."""
    sheet = text[text.index('id="deploy"') :]
    fields = {name: unescape(value) for name, value in HIDDEN.findall(sheet)}
    for tag in re.findall(r"<input[^>]*>", sheet):
        kind = re.search(r'type="(\w+)"', tag)
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (kind is None or kind[1] not in ("radio", "hidden") or " checked" in tag):
            fields[name[1]] = unescape(value[1]) if value else ""
    chosen = re.search(r'<option value="(\w+)" selected', sheet)
    fields["health"] = chosen[1] if chosen else "image"
    return fields


def test_image_fills_the_rest(browse: Browse, images: None) -> None:
    client = browse("developer")
    fields = filled(client, f"{ADDRESS}?image=berth/hello:1")
    assert (fields["name"], fields["ports"], fields["instances"]) == ("hello", "8080", "3")
    text = text_of(client.post(ADDRESS, filled(client, image="berth/hello:2", go="check")))
    assert 'value="hello"' in text
    assert "Deploy to dev" in text
    assert "Makes hello with release 1" in text


def test_first_deploy_takes_two_clicks(browse: Browse, images: None) -> None:
    """Choose an image, deploy; even without a script that fills the fields in between."""
    client = browse("developer")
    page = client.post(ADDRESS, filled(client, image="berth/hello:1", go="deploy"))
    assert page.status_code == 302
    assert page["Location"] == "/t/acme/p/shop/apps/hello/deployments/1/"
    place = AppEnvironment.objects.get(app__name="hello", environment__name="dev")
    assert place.release is not None
    service = place.release.specification["services"]["hello"]
    assert service["deploy"]["replicas"] == 3
    assert service["ports"] == [{"target": 8080, "protocol": "tcp"}]


def test_sent_twice_is_done_once(browse: Browse, images: None) -> None:
    client = browse("developer")
    fields = filled(client, image="berth/hello:1", go="deploy")
    first, second = client.post(ADDRESS, fields), client.post(ADDRESS, fields)
    assert first["Location"] == second["Location"]
    assert Operation.objects.count() == 1
    assert App.objects.count() == 1


def test_new_release_of_an_app(browse: Browse, images: None, running: AppEnvironment) -> None:
    client = browse("developer")
    address = f"{ADDRESS}?app=hello&environment=dev"
    fields = filled(client, address)
    assert fields["image"] == "berth/hello:1"
    assert fields["instances"] == "3"
    text = text_of(client.post(ADDRESS, fields | {"image": "berth/hello:2", "go": "check"}))
    assert "Makes release 2 of hello. Release 1 keeps serving while it rolls." in text
    assert "services.web.image" in text
    page = client.post(ADDRESS, fields | {"image": "berth/hello:2", "note": "greener", "go": "deploy"})
    assert page["Location"] == "/t/acme/p/shop/apps/hello/deployments/2/"
    release = Release.objects.get(number=2)
    assert release.note == "greener"
    assert release.specification["services"]["web"]["image"] == "berth/hello:2"


def test_release_is_carried_on_as_it_is(browse: Browse, running: AppEnvironment) -> None:
    """From dev to test: the very same release, not a copy."""
    client = browse("developer")
    address = f"{ADDRESS}?app=hello&environment=test&release=1"
    assert "Puts release 1 of hello into test" in text_of(client.get(address))
    page = client.post(ADDRESS, filled(client, address, go="deploy"))
    assert page.status_code == 302
    assert Release.objects.count() == 1
    assert Deployment.objects.get(number=2).environment.name == "test"


def test_nothing_typed_is_lost(browse: Browse, images: None) -> None:
    client = browse("developer")
    typed = {
        "image": "berth/hello:1", "name": "Bad Name", "instances": "many", "ports": "99999", "memory": "1", "cpu": "x",
        "variables-0-name": "GREETING", "variables-0-value": " hi $USER ", "lines": "A=1\nexport B='two'\n# no",
    }  # fmt: skip
    page = client.post(ADDRESS, filled(client, **typed, go="deploy"))
    text = unescape(text_of(page))
    assert page.status_code == 422
    for value in ("Bad Name", "many", "99999", "GREETING", " hi $USER ", "two"):
        assert f'value="{value}"' in text
    for field in ("name", "instances", "ports", "memory", "cpu"):
        assert f'id="deploy-{field}_error"' in text
    assert "data-problems" in text
    assert not App.objects.exists()


def test_variables_arrive_as_typed(browse: Browse, images: None) -> None:
    client = browse("developer")
    typed = {"variables-0-name": "PRICE", "variables-0-value": "5$ ${x}", "lines": "MODE=fast"}
    page = client.post(ADDRESS, filled(client, image="berth/hello:1", **typed, go="deploy"))
    assert page.status_code == 302
    kept = Release.objects.get().specification["services"]["hello"]["environment"]
    assert kept == {"MODE": "fast", "PRICE": "5$$ $${x}"}


@pytest.mark.parametrize(
    ("kind", "typed", "expected"),
    [
        ("http", {"path": "/up"}, {"x-berth": {"port": 8080, "path": "/up"}}),
        ("command", {"command": "test -f /ready"}, {"test": ["CMD-SHELL", "test -f /ready"]}),
        ("none", {}, {"test": ["NONE"]}),
    ],
)
def test_health_checks(
    browse: Browse, images: None, kind: str, typed: dict[str, str], expected: dict[str, Any]
) -> None:
    client = browse("developer")
    page = client.post(ADDRESS, filled(client, image="berth/hello:1", health=kind, ports="8080", **typed, go="deploy"))
    assert page.status_code == 302
    service = Release.objects.get().specification["services"]["hello"]
    if kind == "http":
        assert service["x-berth"]["health"]["http"] == expected["x-berth"]
    else:
        assert service["healthcheck"]["test"] == expected["test"]


def test_yaml_both_ways(browse: Browse, images: None) -> None:
    client = browse("developer")
    text = unescape(text_of(client.post(ADDRESS, filled(client, image="berth/hello:1", go="yaml"))))
    assert "image: berth/hello:1" in text
    yaml = "services:\n  hello:\n    image: berth/hello:2\n    ports: [8080, 9090]\n    deploy: {replicas: 2}\n"
    sent = filled(client, mode="yaml", yaml=yaml, name="greeter")
    text = unescape(text_of(client.post(ADDRESS, sent | {"go": "form"})))
    assert 'value="8080, 9090"' in text
    page = client.post(ADDRESS, sent | {"go": "deploy"})
    assert page["Location"] == "/t/acme/p/shop/apps/greeter/deployments/1/"
    assert Release.objects.get().specification["services"]["hello"]["deploy"]["replicas"] == 2


def test_each_of_several_services(browse: Browse, images: None) -> None:
    """What was typed for one service stays while another is looked at."""
    client = browse("developer")
    yaml = "services:\n  db: {image: postgres:16}\n  web: {image: berth/hello:1, ports: [8080]}\n"
    sent = filled(client, mode="yaml", yaml=yaml, name="pair", go="form")
    first = fields_of(text_of(client.post(ADDRESS, sent)))
    assert (first["service"], first["image"]) == ("db", "postgres:16")
    second = fields_of(text_of(client.post(ADDRESS, first | {"instances": "2", "go": "of:web"})))
    assert (second["service"], second["image"], second["ports"]) == ("web", "berth/hello:1", "8080")
    page = client.post(ADDRESS, second | {"instances": "4", "go": "deploy"})
    assert page.status_code == 302
    services = Release.objects.get().specification["services"]
    assert [services[name]["deploy"]["replicas"] for name in ("db", "web")] == [2, 4]


@pytest.mark.parametrize("yaml", ["services: [", "services:\n  web:\n    image: x:1\n    privileged: true\n"])
def test_yaml_that_cannot_be(browse: Browse, yaml: str) -> None:
    client = browse("developer")
    page = client.post(ADDRESS, filled(client, mode="yaml", yaml=yaml, name="greeter", go="deploy"))
    assert page.status_code == 422
    text = unescape(text_of(page))
    assert yaml.strip() in text
    assert "deploy-yaml_error" in text
    if "privileged" in yaml:
        assert "services.web.privileged" in text
    assert not App.objects.exists()


def test_name_that_is_taken_shows_the_way_out(browse: Browse, images: None, running: AppEnvironment) -> None:
    client = browse("developer")
    page = client.post(ADDRESS, filled(client, image="berth/hello:1", name="hello", go="deploy"))
    assert page.status_code == 422
    assert "An app called “hello” exists" in text_of(page)
    assert "/deploy/?app=hello&amp;image=berth%2Fhello%3A1" in text_of(page)


def test_name_that_is_taken_is_told_before(browse: Browse, images: None, running: AppEnvironment) -> None:
    text = text_of(browse("developer").get(f"{ADDRESS}?image=berth/hello:2"))
    assert "There is an app called hello already." in text
    assert "Mend the red lines first." in text


def test_what_is_wrong_is_told_while_typing(browse: Browse, images: None) -> None:
    client = browse("developer")
    sent = filled(client, image="berth/hello:1", health="command", ports="x", go="check")
    text = text_of(client.post(ADDRESS, sent))
    assert "2 must be mended" in text
    assert "Say which command to run." in text


def test_one_at_a_time(browse: Browse, images: None) -> None:
    client = browse("developer")
    client.post(ADDRESS, filled(client, image="berth/hello:1", go="deploy"))
    address = f"{ADDRESS}?app=hello&environment=dev"
    assert "Something is under way here already" in text_of(client.get(address))
    page = client.post(ADDRESS, filled(client, address, image="berth/hello:2", go="deploy"))
    assert page.status_code == 422
    assert "Another operation on this is still running" in text_of(page)
    assert "/apps/hello/deployments/1/" in text_of(page)
    assert Operation.objects.count() == 1


def test_environment_is_changed_without_losing_anything(browse: Browse, images: None) -> None:
    client = browse("owner")
    page = client.post(ADDRESS, filled(client, image="berth/hello:1", name="mine", go="to:prod"))
    text = text_of(page)
    assert 'value="mine"' in text
    assert "Deploy to prod" in text
    assert 'class="btn is-prod"' in text


def test_production_is_closed_to_developers(browse: Browse, images: None, running: AppEnvironment) -> None:
    client = browse("developer")
    address = f"{ADDRESS}?app=hello&environment=prod"
    text = text_of(client.get(address))
    assert "This needs “app.release” here" in text
    assert client.post(ADDRESS, filled(client, address, go="deploy")).status_code == 403


@pytest.mark.parametrize(("name", "status"), [("guest", 403), ("auditor", 404), ("outsider", 404), ("releaser", 200)])
def test_who_gets_in(browse: Browse, cast: Cast, name: str, status: int) -> None:
    assert browse(name).get(ADDRESS).status_code == status


@pytest.mark.parametrize("query", ["app=nothing", "environment=nowhere", "app=hello&release=99", "app=hello&release=x"])
def test_addresses_that_lead_nowhere(browse: Browse, running: AppEnvironment, query: str) -> None:
    assert browse("developer").get(f"{ADDRESS}?{query}").status_code == 404


def test_search_and_names_typed_by_hand(browse: Browse, images: None) -> None:
    client = browse("developer")
    text = text_of(client.post(ADDRESS, filled(client, search="hello 2", go="search")))
    assert 'value="berth/hello:2"' in text
    assert 'value="berth/hello:1"' not in text
    text = text_of(client.post(ADDRESS, filled(client, search="registry.example/team/api:7", go="search")))
    assert "as typed; its registry is asked" in text
    page = client.post(ADDRESS, filled(client, search="registry.example/team/api:7", go="deploy"))
    assert page["Location"].startswith("/t/acme/p/shop/apps/api/")


@pytest.mark.parametrize("base", ["{", "[]", '"x"', '{"services": []}', '{"services": {"a": 5}}', "null"])
def test_base_is_believed_as_little_as_anything(browse: Browse, images: None, base: str) -> None:
    client = browse("developer")
    page = client.post(ADDRESS, filled(client, image="berth/hello:1", base=base, go="deploy"))
    assert page.status_code in (302, 422)


def test_host_escapes_are_refused(browse: Browse, images: None) -> None:
    client = browse("developer")
    evil = json.dumps({"services": {"hello": {"image": "berth/hello:1", "privileged": True, "pid": "host"}}})
    client.post(ADDRESS, filled(client, image="berth/hello:1", base=evil, go="deploy"))
    for release in Release.objects.all():
        assert "privileged" not in json.dumps(release.specification)


def test_part_alone_for_scripts(browse: Browse, images: None) -> None:
    client = browse("developer")
    page = client.post(ADDRESS, filled(client, image="berth/hello:1", go="check"), headers={"HX-Request": "true"})
    assert "<html" not in text_of(page)
    assert 'id="deploy-checks"' in text_of(page)
    assert "pinned by digest" in text_of(page)
