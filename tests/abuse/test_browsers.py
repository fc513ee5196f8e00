"""What browsers are told to refuse, and where the portal never sends them."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from apps.models import AppEnvironment
from portal.checks import routes
from tests.conftest import PASSWORD, Cast
from tests.rules import addresses

POLICY = {
    "default-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
KNOWN = {"tenant": "acme", "project": "shop", "app": "hello", "environment": "dev", "cluster": "local", "number": "1"}
ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "http:evil.example",
    "https:/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "\t//evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
)
INLINE = {
    "a script in the page": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>\s*\S", re.I),
    "a handler in a tag": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.I),
    "a style in a tag": re.compile(r"<[a-z][^>]*\sstyle\s*=", re.I),
    "a script as an address": re.compile(r"(?:href|src|action)\s*=\s*[\"']?\s*javascript:", re.I),
}


def policy_of(header: str) -> dict[str, list[str]]:
    found = [part.split() for part in header.split(";") if part.strip()]
    return {words[0]: words[1:] for words in found}


def is_strict(header: str, address: str) -> bool:
    """The terminal alone writes styles of its own, and only with a nonce of this very answer."""
    policy = policy_of(header)
    if address.endswith("/console/"):
        own, *more = policy.pop("style-src", ["'self'"])
        if own != "'self'" or not all(re.fullmatch(r"'nonce-[\w+/=-]{20,}'", word) for word in more):
            return False
    return policy == POLICY


def all_addresses() -> list[str]:
    return [
        addresses.filled(route, lambda kind, name: KNOWN.get(name, addresses.OF_KIND[kind]))
        for route in routes()
        if not route.path.startswith("api/") or "logs" not in route.path
    ]


@pytest.mark.wide
@pytest.mark.parametrize("who", ["developer", "operator", "nobody"])
def test_every_answer_says_what_browsers_shall_refuse(
    who: str, running: AppEnvironment, browse: Callable[[str], Client]
) -> None:
    client, faults = Client() if who == "nobody" else browse(who), []
    for address in [*all_addresses(), "/nothing/here", "/api/v1/nothing"]:
        answer = client.get(address)
        expected = is_strict(answer.headers.get("Content-Security-Policy", ""), address)
        if "text/html" in answer.headers.get("Content-Type", "") and not expected:
            faults.append(f"{address}: policy {answer.headers.get('Content-Security-Policy')}")
        if answer.headers.get("X-Content-Type-Options") != "nosniff":
            faults.append(f"{address}: may be sniffed")
        if answer.headers.get("X-Frame-Options") != "DENY":
            faults.append(f"{address}: may be framed")
        if "store" not in answer.headers.get("Cache-Control", ""):
            faults.append(f"{address}: may be kept ({answer.headers.get('Cache-Control')})")
    assert faults == []


@pytest.mark.wide
def test_pages_need_nothing_that_the_policy_forbids(running: AppEnvironment, browse: Callable[[str], Client]) -> None:
    client, faults = browse("owner"), []
    for address in all_addresses():
        answer = client.get(address)
        if answer.status_code == 200 and "text/html" in answer.headers.get("Content-Type", ""):
            text = answer.content.decode()
            faults += [f"{address}: {what}" for what, pattern in INLINE.items() if pattern.search(text)]
    assert faults == []


@pytest.mark.parametrize("target", ELSEWHERE)
def test_the_door_leads_nowhere_else(target: str, cast: Cast, client: Client) -> None:
    entered = client.post(reverse("sign_in"), {"username": "developer", "password": PASSWORD, "next": target})
    assert entered.status_code == 302
    assert_own(entered["Location"])


@pytest.mark.parametrize("target", ELSEWHERE)
@pytest.mark.parametrize(
    ("name", "sent"), [("set_language", {"language": "zh-hans"}), ("set_theme", {"theme": "dark"}), ("sign_out", {})]
)
def test_small_forms_lead_nowhere_else(
    name: str, sent: dict[str, str], target: str, cast: Cast, browse: Callable[[str], Client]
) -> None:
    answer = browse("developer").post(reverse(name), sent | {"next": target}, headers={"Referer": target.strip()})
    assert answer.status_code in (204, 302)
    assert_own(answer.headers.get("Location", "/"))


def assert_own(location: str) -> None:
    """A browser reads \\ as / and drops tabs before it looks where the host is."""
    read = re.sub(r"[\t\r\n]", "", location).strip().replace("\\", "/")
    parts = urlsplit(read)
    assert (parts.scheme, parts.netloc) == ("", ""), location
    assert read.startswith("/")
    assert not read.startswith("//")
