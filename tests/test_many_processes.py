"""Web, sockets, worker, beat and observer apart, on PostgreSQL and Redis: the same story as in one process."""

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from launcher.processes import until
from tests.engine import LiveEngine, engine
from tests.installation import Installation

__all__ = ["engine"]

pytestmark = pytest.mark.live
SHOP = "/api/v1/tenants/demo/projects/shop"
SPEC = {"services": {"web": {"image": "berth/hello:1", "ports": ["8080"], "deploy": {"replicas": 3}}}}
PATIENCE_SECONDS = 120.0


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """These tests meet the processes as they are: no settings are changed for them."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through Redis."""


@pytest.fixture(scope="module")
def berth(engine: LiveEngine) -> Iterator[Installation]:
    with ExitStack() as undo:
        yield Installation.started(engine, undo)


def deploy(berth: Installation, name: str) -> dict[str, Any]:
    """Start a deployment of an app to dev; its operation."""
    berth.post(f"{SHOP}/apps", {"name": name})
    operation: dict[str, Any] = berth.post(f"{SHOP}/apps/{name}/deployments", {"environment": "dev", "spec": SPEC})
    return operation


def ended(berth: Installation, operation: dict[str, Any]) -> str:
    """How an operation ended, once it has."""
    address = f"/api/v1/operations/{operation['id']}"
    assert until(lambda: not berth.get(address)["active"], seconds=PATIENCE_SECONDS, every=0.3), berth.said("worker")
    return str(berth.get(address)["state"])


def test_an_app_is_deployed_observed_and_read(berth: Installation) -> None:
    assert ended(berth, deploy(berth, "apart")) == "succeeded"
    place = f"{SHOP}/apps/apart/environments/dev"
    running = lambda: berth.get(place)["services"]  # noqa: E731 -- read again and again below
    assert until(lambda: [s["running"] for s in running()] == [3], seconds=30), f"{running()} {berth.said('observer')}"
    assert until(lambda: b"listening on port 8080" in berth.read(f"{place}/logs"), seconds=10)
    assert berth.read(f"{place}/logs/download")


def test_the_socket_hears_what_the_worker_does(berth: Installation) -> None:
    """Worker and socket are two processes; between them is only Redis."""
    cookies = signed_in(berth)
    operation = deploy(berth, "heard")
    address = berth.url(f"/ws/v1/operations/{operation['id']}", at="sockets").replace("http", "ws", 1)
    codes = []
    with connect(address, origin=berth.url("", at="sockets"), additional_headers={"Cookie": cookies}) as socket:
        while True:
            try:
                codes.append(json.loads(socket.recv(timeout=PATIENCE_SECONDS))["code"])
            except ConnectionClosed:
                break
    assert codes[0] == "accepted"
    assert codes[-1] == "succeeded"
    assert codes.count("instances_ready") >= 1


def signed_in(berth: Installation) -> str:
    """The cookies of the owner, got at the door as a browser gets them."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    door = berth.url("/accounts/sign-in/")
    found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', browser.open(door, timeout=30).read())
    assert found is not None
    form = {"csrfmiddlewaretoken": found[1].decode(), "username": "owner", "password": berth.password}
    browser.open(door, urllib.parse.urlencode(form).encode(), timeout=30)
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def test_a_killed_worker_leaves_nothing_lying(berth: Installation) -> None:
    """Its lease runs out, beat's sweep wakes the next worker, and there is one deployment with one result."""
    operation = deploy(berth, "orphan")
    address = f"/api/v1/operations/{operation['id']}"
    assert until(lambda: berth.get(address)["started_at"] is not None, seconds=30), berth.said("worker")
    berth.processes["worker"].kill()
    berth.start("worker")
    assert ended(berth, operation) == "succeeded"
    assert len(berth.get(f"{SHOP}/apps/orphan/deployments")["results"]) == 1


def test_without_redis_a_deployment_is_accepted_and_done_later(berth: Installation) -> None:
    berth.redis.kill()
    assert not berth.ready("web")
    operation = deploy(berth, "patient")
    assert operation["state"] == "pending"
    berth.redis.start()
    assert ended(berth, operation) == "succeeded"
