"""The feed over several processes: heard through Redis, and read from the rows while Redis is away."""

import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, expect
from websockets.sync.client import ClientConnection, connect

from tests.e2e.browser import chromium
from tests.e2e.portal import until
from tests.faults.caller import SHOP, Caller, spec
from tests.installation import Installation

__all__ = ["chromium"]
pytestmark = pytest.mark.live


@pytest.fixture
def feed(berth: Installation) -> Iterator[ClientConnection]:
    address = berth.url("/ws/v1/feed", at="sockets").replace("http:", "ws:")
    with connect(address, additional_headers={"Authorization": f"Bearer {berth.token}"}, proxy=None) as socket:
        assert heard(socket, "hello")["seq"] >= 0
        yield socket


def heard(socket: ClientConnection, kind: str, *, of: str = "", seconds: float = 20.0) -> dict[str, Any]:
    """The next message of this kind, of the object with the id `of` where one is named: others may be busy still."""
    end = time.monotonic() + seconds
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=max(0.1, end - time.monotonic())))
        if message["kind"] == kind and of in ("", message.get("id")):
            return message


def test_what_one_process_changes_another_tells(caller: Caller, feed: ClientConnection) -> None:
    accepted = caller.post(f"{SHOP}/apps", {"name": "told", "environment": "dev", "spec": spec()})
    heard(feed, "operation", of=accepted.json["id"])
    caller.ended(accepted.json)
    assert heard(feed, "place")


def test_a_lower_number_that_is_committed_later_is_not_lost(berth: Installation, feed: ClientConnection) -> None:
    insert = "INSERT INTO operations_change (kind, object_id) VALUES ('cluster', %s) RETURNING seq"
    address = berth.environment["DATABASE_URL"]
    with psycopg.connect(address) as slow, psycopg.connect(address, autocommit=True) as quick:
        lower = slow.execute(insert, ["late"]).fetchone()
        higher = quick.execute(insert, ["early"]).fetchone()
        assert lower is not None
        assert higher is not None
        assert lower < higher
        assert heard(feed, "cluster")["id"] == "early"
        slow.commit()
        assert heard(feed, "cluster") == {"seq": lower[0], "kind": "cluster", "id": "late"}


def test_without_redis_the_feed_says_so_and_goes_on(
    berth: Installation, caller: Caller, feed: ClientConnection
) -> None:
    """Fault 18: rows are read every two seconds instead."""
    berth.redis.kill()
    try:
        heard(feed, "slow")
        accepted = caller.post(f"{SHOP}/apps", {"name": "untold", "environment": "dev", "spec": spec()})
        assert accepted.status == 202, accepted.body
        heard(feed, "operation", of=accepted.json["id"])
    finally:
        berth.redis.start()
    heard(feed, "prompt")
    caller.ended(accepted.json)


def test_without_redis_pages_say_so_and_stay_true(berth: Installation, caller: Caller, chromium: Browser) -> None:
    caller.ended(caller.deploy("paged", spec=spec()))
    browser = Caller(berth.url(""))
    browser.sign_in("owner", berth.password)
    context = chromium.new_context(base_url=berth.url(""), locale="en-GB")
    context.add_cookies([{"name": name, "value": text, "url": berth.url("")} for name, text in browser.cookies.items()])
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto("/t/demo/p/shop/apps/paged/?environment=dev")
    mark = page.locator("#app-now [data-fresh]").first
    expect(mark).to_have_text("live", timeout=60_000)
    berth.redis.kill()
    try:
        expect(mark).to_have_text("live messages are away, looking every few seconds", timeout=60_000)
        path = f"{SHOP}/apps/paged/environments/dev/scale"
        accepted = caller.post(path, {"service": "web", "instances": 2})
        assert accepted.status == 202, accepted.body
        page.get_by_role("link", name="1 operation").or_(
            page.locator("#operations-chip", has_text="1")
        ).first.wait_for()
    finally:
        berth.redis.start()
    expect(mark).to_have_text("live", timeout=60_000)
    caller.ended(accepted.json)
    until(lambda: "2 of 2" in page.locator("#app-now").inner_text(), seconds=60)
    context.close()
