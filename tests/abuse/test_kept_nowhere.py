"""Copies: no browser, proxy or key of ours keeps what somebody saw for the next one who asks."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.models import AppEnvironment
from portal.checks import PUBLIC, routes
from tenants.models import Token
from tests.abuse.test_isolation import addresses as api_addresses
from tests.abuse.test_isolation import ask, filled, known
from tests.conftest import Cast
from tests.rules import addresses

pytestmark = pytest.mark.wide

__all__ = ["known"]

PAGES = ["/", "/t/acme/p/shop/", "/t/acme/p/shop/apps/hello/", "/t/acme/audit/"]
CONDITIONS = ["If-None-Match", "If-Modified-Since"]


def test_every_page_forbids_copies(known: dict[str, str], browse: Callable[[str], Client]) -> None:
    client, wrong = browse("owner"), []
    for route in routes():
        if route.public or not all(name in known for _kind, name in addresses.GAP.findall(route.path)):
            continue
        if "/logs" in route.path and route.path.startswith("api/"):
            continue  # streams: tests/api/test_logs.py
        answer = client.get(addresses.filled(route, lambda _kind, name: known[name]))
        if answer.headers["Cache-Control"] != "private, no-store":
            wrong.append(f"/{route.path}: {answer.headers['Cache-Control']}")
        if "Last-Modified" in answer.headers:
            wrong.append(f"/{route.path}: says when it changed")
    assert wrong == []
    assert PUBLIC


def test_after_signing_out_going_back_asks_anew(running: AppEnvironment, browse: Callable[[str], Client]) -> None:
    """no-store keeps the page out of the history, so that going back is a request; and that finds the door."""
    client = browse("owner")
    seen = {page: client.get(page) for page in PAGES}
    assert all(answer.headers["Cache-Control"] == "private, no-store" for answer in seen.values())
    client.post("/accounts/sign-out/")
    for page, before in seen.items():
        again = client.get(page, headers={"If-None-Match": before.headers.get("ETag", "*")})
        assert again.status_code == 302
        assert again.headers["Location"].startswith("/accounts/sign-in/")
        assert "hello" not in again.content.decode()


def test_an_etag_of_mine_is_worth_nothing_to_others(known: dict[str, str], cast: Cast) -> None:
    """A 304 says that something is there and unchanged: only to who may read it."""
    mine, theirs = (Token.objects.create(user, name="etag")[1] for user in (cast.owner, cast.outsider))
    tagged = 0
    for method, pattern in api_addresses():
        if method != "get" or "logs" in pattern:
            continue
        path = filled(pattern, known)
        _status, headers, _body = ask(mine, "get", path)
        tag = headers.get("ETag")
        if tag is None:
            continue
        tagged += 1
        assert conditional(theirs, path, tag) == 404, path
        assert conditional("nonsense", path, tag) == 401, path
    assert tagged > 3


def conditional(token: str, path: str, tag: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} | dict.fromkeys(CONDITIONS, tag)
    return Client().get(path, headers=headers).status_code


def test_two_people_at_one_address_see_their_own(known: dict[str, str], cast: Cast) -> None:
    """Nothing in between remembers an address without asking who reads it."""
    names = {}
    for name in ("owner", "outsider", "guest", "owner"):
        client = Client()
        client.force_login(getattr(cast, name))
        names[name] = client.get("/").content.decode()
    assert "/t/acme/" in names["owner"]
    assert "/t/acme/" not in names["outsider"]
    assert "/t/globex/" in names["outsider"]
    assert not re.search(r"/t/globex/", names["guest"])


def test_keys_of_the_cache_are_hard_to_share_by_mistake(known: dict[str, str], browse: Callable[[str], Client]) -> None:
    """Today nothing a tenant sees is kept in the cache at all."""
    cache.clear()
    client = browse("owner")
    for page in PAGES:
        client.get(page)
    held: Any = getattr(cache, "_cache", {})
    kept = list(held) if isinstance(held, dict) else [key.decode() for key in held.get_client().keys("*")]
    assert not [key for key in kept if "acme" in str(key) or "shop" in str(key)], kept
