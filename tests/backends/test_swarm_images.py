"""Names of images, and what an engine tells of one."""

from typing import Any

import pytest

from backends.contract import DriverError, HealthCheck, ReasonCode
from backends.swarm.client import EngineClient
from backends.swarm.images import on_engine, resolve

ID = "sha256:" + "a" * 64
DIGEST = "sha256:" + "b" * 64
NOWHERE = EngineClient("unix:///nowhere/engine.sock")


@pytest.mark.parametrize(
    "reference",
    [
        "shop",
        "shop/web:1.4",
        "registry.example:5000/a/b/c:x",
        "localhost/a_b/c--d",
        f"shop/web@{DIGEST}",
        f"a:1@{DIGEST}",
    ],
)
def test_good_names_are_asked_for(reference: str) -> None:
    with pytest.raises(DriverError) as raised:
        resolve(NOWHERE, reference, local=False)
    assert raised.value.reason.code == ReasonCode.ENGINE_AWAY


@pytest.mark.parametrize(
    "reference",
    ["", " ", "a b", "UPPER/Case", "a//b", "/a", "a/", "../services", "x/../../services", "a/..", "a:", "a@sha256:1",
     "a?x=1", "a#b", "http://a/b", "a\n", "a%2Fb", "ü"],
)  # fmt: skip
@pytest.mark.parametrize("local", [True, False])
def test_bad_names_never_leave_us(reference: str, local: bool) -> None:
    with pytest.raises(DriverError) as raised:
        resolve(NOWHERE, reference, local=local)
    assert (raised.value.reason.code, raised.value.permanent) == (ReasonCode.BAD_IMAGE, True)


def image(**more: Any) -> dict[str, Any]:
    return {"Id": ID, "RepoDigests": [], "Os": "linux", "Architecture": "amd64", "Size": 5, "Config": {}} | more


def test_what_no_registry_knows_is_pinned_by_its_id() -> None:
    info = on_engine("berth/hello:1", image())
    assert (info.pinned, info.digest, info.platform, info.size_bytes) == (ID, ID, "linux/amd64", 5)


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [
        ("shop/web:1", f"shop/web@{DIGEST}"),
        ("docker.io/shop/web:1", f"docker.io/shop/web@{DIGEST}"),
        ("other/web:1", ID),  # the same image under a name that no registry knows
    ],
)
def test_what_a_registry_knows_is_pinned_by_its_digest(reference: str, pinned: str) -> None:
    held = image(RepoDigests=[f"shop/web@{DIGEST}"])
    assert on_engine(reference, held).pinned == pinned


def test_a_registry_with_a_port_is_not_taken_for_a_tag() -> None:
    held = image(RepoDigests=[f"r.example:5000/web@{DIGEST}"])
    assert on_engine("r.example:5000/web", held).pinned == f"r.example:5000/web@{DIGEST}"


def test_its_configuration_is_read() -> None:
    config = {
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Env": ["A=1", "B=x=y"],
        "User": "1000",
        "Cmd": ["run"],
        "Healthcheck": {"Test": ["CMD-SHELL", "curl x"], "Interval": 2_000_000_000, "Retries": 5},
        "Labels": {"a": "b"},
    }
    info = on_engine("shop/web:1", image(Config=config, Created="2026-01-02T03:04:05.123456789Z"))
    assert (info.ports, info.user, info.command) == (("53/udp", "8080/tcp"), "1000", ("run",))
    assert info.environment == (("A", "1"), ("B", "x=y"))
    assert info.health == HealthCheck(("/bin/sh", "-c", "curl x"), 2.0, 30.0, 5, 0.0)
    assert info.created_at is not None


def test_a_check_that_is_switched_off_is_none() -> None:
    assert on_engine("a", image(Config={"Healthcheck": {"Test": ["NONE"]}})).health is None
