"""The same wish sent again, by programs and by browsers, to a portal in one process: it is done once."""

import re
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.e2e.portal import Portal
from tests.faults.caller import KEY, SHOP, Answer, Caller, spec

pytestmark = pytest.mark.live
PANEL = "/t/demo/p/shop/deploy/"
FIELD = re.compile(r"<(?:input|textarea)\b[^>]*>")


def deployments_of(portal: Portal, app: str) -> int:
    asked = "SELECT count(*) FROM apps_deployment d JOIN apps_app a ON a.id = d.app_id WHERE a.name = ?"
    with closing(sqlite3.connect(portal.state / "berth.sqlite3")) as rows:
        return int(rows.execute(asked, [app]).fetchone()[0])


def test_twenty_equal_requests_at_once_are_one(portal: Portal, caller: Caller) -> None:
    app, key = f"once{uuid.uuid4().hex[:6]}", uuid.uuid4().hex
    body = {"name": app, "environment": "dev", "spec": spec()}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _n: caller.post(f"{SHOP}/apps", body, Idempotency_Key=key), range(20)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.body for answer in answers}) == 1
    assert deployments_of(portal, app) == 1
    other = caller.post(f"{SHOP}/apps", body | {"name": f"{app}b"}, Idempotency_Key=key)
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert caller.ended(answers[0].json)["state"] == "succeeded"


def test_a_key_is_each_persons_own(portal: Portal, caller: Caller) -> None:
    """Two tokens of one person share it: the retry of a program with a new token is still a retry."""
    app, key = f"own{uuid.uuid4().hex[:6]}", uuid.uuid4().hex
    again = Caller(portal.url, portal.token())
    first, second = (one.post(f"{SHOP}/apps", {"name": app}, Idempotency_Key=key) for one in (caller, again))
    assert (first.status, second.status, second.body) == (201, 201, first.body)


def test_a_double_click_is_one_deployment(portal: Portal) -> None:
    browser = Caller(portal.url)
    browser.sign_in("owner", portal.password)
    app = f"click{uuid.uuid4().hex[:6]}"
    page = browser.get(f"{PANEL}?environment=dev&image=berth/hello:1").body
    found = KEY.search(page)
    assert found is not None
    form = fields(page.decode()) | {"name": app, "image": "berth/hello:1", "instances": "1", "go": "deploy"}

    def click(_number: int) -> Answer:
        return browser.submit(PANEL, form, key_from=PANEL)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(click, range(2))
    assert (first.status, second.status) == (302, 302), (first.body[-800:], second.body[-800:])
    assert first.headers["location"] == second.headers["location"]
    assert deployments_of(portal, app) == 1


def fields(page: str) -> dict[str, str]:
    """Name and value of every field as the page was delivered, without what is not checked."""
    found = {}
    for tag in FIELD.findall(page[page.index('name="key"') - 200 :]):
        words = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in words and (words.get("type") not in ("radio", "checkbox") or " checked" in tag):
            found[words["name"]] = words.get("value", "")
    return found
