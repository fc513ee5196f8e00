"""Middleware and view of a request run in one go: nothing is handed on to a loop of its own and back."""

from collections.abc import Iterator

import pytest
from asgiref.sync import AsyncToSync
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path

from portal.pages import Pages


def plain(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


async def waiting(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("waiting")


urlpatterns = [path("plain/", plain), path("waiting/", waiting)]


@pytest.fixture(autouse=True)
def _own_addresses() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=["portal.middleware.request_id"]):
        yield


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was handed from a thread to a loop."""
    seen: list[object] = []
    really = AsyncToSync.__call__

    def call(self: AsyncToSync[..., object], *args: object, **kwargs: object) -> object:
        seen.append(self.awaitable)
        return really(self, *args, **kwargs)

    monkeypatch.setattr(AsyncToSync, "__call__", call)
    return seen


async def test_a_plain_view_stays_in_the_thread_of_its_middleware(handed_over: list[object]) -> None:
    response = await Pages().get_response_async(RequestFactory().get("/plain/"))
    assert response.content == b"plain"
    assert response["X-Request-ID"]
    assert handed_over == []


async def test_a_view_that_waits_is_answered_too(handed_over: list[object]) -> None:
    response = await Pages().get_response_async(RequestFactory().get("/waiting/"))
    assert response.content == b"waiting"
    assert handed_over == [waiting]
