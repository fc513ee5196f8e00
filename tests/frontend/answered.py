"""A page in a real browser, under the content policy of the portal, answered from this process.

No portal runs: each address a test needs is answered by a function of it, so that a lost connection, an old session
and a late message can be had at will.
"""

import mimetypes
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.template import engines
from playwright.sync_api import Browser, ConsoleMessage, Page, Route

from tests.frontend.samples import frame

HOME = "http://berth.test"
STATIC = Path(__file__).resolve().parents[2] / "static"
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
Answer = Callable[[], str | tuple[int, str]]


def until_held(page: Page, held: list[Route], count: int) -> None:
    """A request is told before its route is: wait until so many routes are in our hands."""
    end = time.monotonic() + 20
    while len(held) < count:
        assert time.monotonic() < end, f"{len(held)} of {count} requests came"
        page.wait_for_timeout(20)


@pytest.fixture
def answers() -> dict[str, Answer]:
    return {}


@pytest.fixture
def said() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def page(chromium: Browser, answers: dict[str, Answer], said: list[str]) -> Iterator[Page]:
    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    def answer(route: Route) -> None:
        path = re.sub(r"^https?://[^/]+", "", route.request.url).split("?")[0]
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            return route.fulfill(body=file.read_bytes(), content_type=kind)
        made = answers[path]() if path in answers else (404, "")
        status, body = made if isinstance(made, tuple) else (200, made)
        return route.fulfill(
            status=status,
            body=body,
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": POLICY},
        )

    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.route("**/*", answer)
    opened = context.new_page()
    opened.on("console", listen)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.set_default_timeout(20_000)  # a busy machine
    yield opened
    context.close()


@pytest.fixture
def draw(page_request: HttpRequest) -> Callable[..., str]:
    """A whole page with this in its main part, and a sheet when asked."""

    def make(main: str = "", *, sheet: str = "", theme: str = "light", **context: Any) -> str:
        source = (
            '{% extends "base.html" %}{% load components %}{% block title %}Page{% endblock %}'
            '{% block head %}{% page_head "Page" %}{% endpage_head %}{% endblock %}'
            f"{{% block main %}}{main}{{% endblock %}}{{% block sheet %}}{sheet}{{% endblock %}}"
        )
        if sheet:
            source += "{% block frame_state %} inert{% endblock %}"
        return str(engines["django"].from_string(source).render({"frame": frame(theme=theme), **context}, page_request))

    return make
