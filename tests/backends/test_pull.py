"""By which an image is fetched: shown to its own registry alone, in no revision, in no text."""

import base64
import json
from dataclasses import replace

import pytest

from backends.contract import Credentials, EnvironmentRef, ServiceRef, ServiceSpec
from backends.kubernetes import environments, images
from backends.references import shown_for
from backends.swarm.client import _shown
from core.secrets import Secret

PULL = Credentials("registry.test:5000", "pull-e1", Secret("only for hosts"))
SPEC = ServiceSpec(
    ServiceRef("e1", "a1", "web"), image="registry.test:5000/acme/shop/web@sha256:" + "a" * 64, instances=1
)


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("registry.test:5000/acme/shop/web:1", True),
        (SPEC.image, True),
        ("registry.test:50001/acme/shop/web:1", False),
        ("registry.test/acme/shop/web:1", False),
        ("evil.test/registry.test:5000/web", False),
        ("berth/hello:1", False),
        ("sha256:" + "a" * 64, False),
    ],
)
def test_no_other_registry_is_shown_anything(reference: str, shown: bool) -> None:
    assert (shown_for(reference, PULL) is PULL) == shown
    assert shown_for(reference, None) is None


def test_other_credentials_replace_no_instance() -> None:
    assert replace(SPEC, pull=PULL).revision == SPEC.revision


def test_they_stand_in_no_text() -> None:
    for told in (repr(PULL), repr(replace(SPEC, pull=PULL)), repr(EnvironmentRef("e1", pull=PULL))):
        assert "only for hosts" not in told


def test_the_engine_is_told_in_its_own_form() -> None:
    header = _shown(PULL)["X-Registry-Auth"]
    assert json.loads(base64.urlsafe_b64decode(header)) == {
        "username": "pull-e1",
        "password": "only for hosts",
        "serveraddress": "registry.test:5000",
    }
    assert _shown(None) == {}


def test_a_namespace_holds_them_for_its_instances() -> None:
    made = environments.objects(EnvironmentRef("e1", pull=PULL))
    (secret,) = [one for one in made if one["kind"] == "Secret"]
    (account,) = [one for one in made if one["kind"] == "ServiceAccount"]
    assert account["imagePullSecrets"] == [{"name": secret["metadata"]["name"]}]
    held = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    assert base64.b64decode(held["registry.test:5000"]["auth"]).decode() == "pull-e1:only for hosts"
    without = environments.objects(EnvironmentRef("e1"))
    assert not [one for one in without if one["kind"] == "Secret" or "imagePullSecrets" in one]
    assert environments.layout(EnvironmentRef("e1")) != environments.layout(EnvironmentRef("e1", pull=PULL))


def test_who_shows_other_credentials_asks_another_question() -> None:
    image = "registry.test:5000/acme/shop/web:1"
    asked = [images.question(image, pull) for pull in (None, PULL, replace(PULL, username="pull-e2"))]
    assert len({one["metadata"]["name"] for one in asked}) == 3
    assert asked[1]["spec"]["imagePullSecrets"] == [{"name": asked[1]["metadata"]["name"]}]
    assert "imagePullSecrets" not in asked[0]["spec"]
