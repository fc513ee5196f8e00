from typing import Any

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory

from tests.e2e.browser import chromium
from tests.frontend.answered import answers, draw, page, said
from tests.frontend.samples import Render

__all__ = ["answers", "chromium", "draw", "page", "said"]


@pytest.fixture
def page_request() -> HttpRequest:
    request = RequestFactory().get("/somewhere/", {"sort": "name", "cursor": "abc"})
    request._messages = CookieStorage(request)
    return request


@pytest.fixture
def render(page_request: HttpRequest) -> Render:
    """Render source that has the components loaded, with a request whose query is ?sort=name&cursor=abc."""

    def make(source: str, **context: Any) -> str:
        template = engines["django"].from_string("{% load components i18n %}" + source)
        return str(template.render({"frame": None, **context}, page_request))

    return make
