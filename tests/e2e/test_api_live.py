"""The API where only a real portal shows it: the pages of its description, and streams whose readers go away."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Page

from core.seats import LIMITS
from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal, until

pytestmark = pytest.mark.e2e
P = "/api/v1/tenants/demo/projects/shop"
E = f"{P}/apps/quiet/environments/dev"
MOST_STREAMS = LIMITS["log"].person
QUIET = {"image": "berth/hello:1", "healthcheck": {"disable": True}, "entrypoint": ["sh", "-c", "echo up; sleep 3600"]}


def test_the_description_is_read_without_the_internet(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/v1/docs")
    page.locator(".opblock-tag").first.click()
    page.locator(".opblock-summary").first.click()
    page.get_by_text("Parameters").first.wait_for()
    assert page.locator(".opblock-tag").count() > 10
    assert [address for address in asked if not address.startswith((portal.url, "data:"))] == []


class Caller:
    def __init__(self, portal: Portal) -> None:
        self.host, self.token = urlsplit(portal.url).netloc, portal.token()

    def open(self, method: str, path: str, body: Any = None) -> http.client.HTTPResponse:
        """An answer whose body is not read yet; closing it hangs up."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        answer.hang_up = connection.close
        return answer

    def read(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self.open(method, path, body).read())


@pytest.fixture
def caller(portal: Portal) -> Caller:
    """With the app `quiet` running: one instance that has said one line and says no more."""
    made = Caller(portal)
    body = {"name": "quiet", "environment": "dev", "spec": {"services": {"web": QUIET}}}
    operation = f"/api/v1/operations/{made.read('POST', f'{P}/apps', body)['id']}"
    until(lambda: made.read("GET", operation)["state"] == "succeeded", seconds=90)
    return made


def engine_connections(portal: Portal) -> int:
    assert portal.process is not None
    return len(psutil.Process(portal.process.pid).net_connections("unix"))


def test_readers_who_hang_up_leave_nothing_open(caller: Caller, portal: Portal) -> None:
    follow = f"{E}/logs?follow=true&tail=1"
    until(lambda: b" web.1 up" in caller.open("GET", f"{E}/logs").read(), seconds=60)
    before = engine_connections(portal)
    streams = [caller.open("GET", follow) for _each in range(MOST_STREAMS)]
    assert [stream.status for stream in streams] == [200] * MOST_STREAMS
    assert all(stream.readline().endswith(b" web.1 up\n") for stream in streams)
    assert caller.open("GET", follow).status == 429
    assert engine_connections(portal) >= before + MOST_STREAMS
    for stream in streams:
        stream.close()
        stream.hang_up()
    until(lambda: engine_connections(portal) <= before, seconds=60)
    assert caller.open("GET", f"{E}/logs?tail=1").status == 200
