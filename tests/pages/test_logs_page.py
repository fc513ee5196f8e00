"""The lines of an app on its page: read from the engine, at most 3 seconds, whatever the engine does."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps import logs as reading
from apps.log_levels import level_of
from apps.models import AppEnvironment
from backends.contract import InstanceState, LogLine
from backends.fake import FakeDriver, Mood
from tests.conftest import Cast

LOGS = "/t/acme/p/shop/apps/hello/logs/"
Browse = Callable[[str], Client]


def line(text: bytes, *, number: int = 1, second: int = 0) -> LogLine:
    at = int(datetime(2026, 11, 21, 9, 47, second, tzinfo=UTC).timestamp()) * 1_000_000_000
    return LogLine(
        at_ns=at + 118_000_000, service="web", number=number, instance=f"i{number}", stream="stdout", text=text
    )


def writes(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, *lines: LogLine) -> list[Any]:
    """The engine has just these lines; answers the queries it was asked."""
    asked: list[Any] = []

    async def logs(query: Any) -> Any:
        asked.append(query)
        for one in lines:
            yield one

    monkeypatch.setattr(driver, "logs", logs)
    return asked


def test_lines_of_all_instances_stand_in_the_order_of_time(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(
        driver,
        monkeypatch,
        line(b"first", number=2),
        line(b"warning: low disk", second=1),
        line(b"ERROR: no", second=2),
    )
    page = browse("developer").get(LOGS).content.decode()
    assert page.index("first") < page.index("warning: low disk") < page.index("ERROR: no")
    assert "09:47:00.118" in page
    assert "web 2" in page
    assert "log-line is-warn" in page
    assert "log-line is-error" in page
    assert "1 speaks of an error." in page


def test_what_an_app_writes_is_text_and_nothing_else(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(driver, monkeypatch, line(b'<script>alert("x")</script> \xff\x00'))
    page = browse("developer").get(f"{LOGS}?search=alert").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;<mark>alert</mark>(&quot;x&quot;)&lt;/script&gt; \ufffd\ufffd" in page


def test_a_search_keeps_the_lines_that_hold_it_whatever_the_case(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = writes(driver, monkeypatch, line(b"GET /Cart 200"), line(b"GET /healthz 200", second=1))
    page = browse("developer").get(f"{LOGS}?search=cart").content.decode()
    assert "<mark>Cart</mark>" in page
    assert "/healthz" not in page
    assert "1 found" in page
    assert asked[0].tail == reading.SEARCHED


def test_the_address_narrows_to_a_service_an_instance_and_a_time(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = writes(driver, monkeypatch)
    row = running.observed_instances.get(number=2)
    page = browse("developer").get(f"{LOGS}?service=web&instance={row.pk}&range=15m").content.decode()
    assert asked[0].instance == row.engine_id
    assert asked[0].since is not None
    assert asked[0].tail == reading.TAIL
    assert f"instance={row.pk}" in page


def test_an_instance_that_is_gone_narrows_nothing(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = writes(driver, monkeypatch, line(b"still here"))
    page = browse("developer").get(f"{LOGS}?instance=0193f2c5-0000-7000-8000-000000000000").content.decode()
    assert asked[0].instance is None
    assert "still here" in page


def test_an_engine_that_is_away_is_said_and_the_page_stands(
    browse: Browse, running: AppEnvironment, driver: FakeDriver
) -> None:
    driver.mood = Mood.AWAY
    answer = browse("developer").get(LOGS)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "does not answer" in page
    assert "Try again" in page


def test_an_engine_that_never_answers_is_waited_for_only_so_long(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def logs(query: Any) -> Any:
        await asyncio.Event().wait()
        yield line(b"never")

    monkeypatch.setattr(driver, "logs", logs)
    monkeypatch.setattr(reading, "SECONDS", 0.05)
    page = browse("developer").get(LOGS).content.decode()
    assert "took too long to answer" in page


def test_the_real_fake_has_lines_too(browse: Browse, running: AppEnvironment) -> None:
    """Without any patch: whatever the fake cluster wrote is there, or the page says that nothing is."""
    page = browse("developer").get(LOGS).content.decode()
    assert ("log-line" in page) != ("No lines yet" in page)


def test_downloads_and_the_stream_are_those_of_the_api(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").get(f"{LOGS}?environment=dev").content.decode()
    address = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/logs"
    assert f'href="{address}/download' in page
    assert address == reverse(
        "api_logs", kwargs={"tenant": "acme", "project": "shop", "app": "hello", "environment": "dev"}
    )


def test_nothing_deployed_asks_no_engine(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = writes(driver, monkeypatch, line(b"x"))
    page = browse("developer").get(f"{LOGS}?environment=test").content.decode()
    assert "Nothing runs here" in page
    assert not asked


def test_reading_needs_its_own_permission(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    client = browse("guest")
    assert client.get("/t/acme/p/shop/apps/hello/").status_code == 200
    assert client.get(LOGS).status_code == 403


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ERROR no route", "error"),
        ("java.lang.Exception: x", "error"),
        ("Warning: slow", "warn"),
        ("GET /errors 200", ""),
        ("no terror here", ""),
        ("all is well", ""),
    ],
)
def test_levels_are_guessed_from_whole_words(text: str, level: str) -> None:
    assert level_of(text) == level


def test_a_level_and_a_number_narrow_what_stands_there(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(driver, monkeypatch, line(b"ERROR a"), line(b"  at b"), line(b"INFO c", second=1), line(b"WARN d", number=2))
    page = browse("developer").get(f"{LOGS}?level=warn&service=web&number=1").content.decode()
    assert "ERROR a" in page
    assert "is-error is-more" in page
    assert "INFO c" not in page
    assert "WARN d" not in page
    assert "number=1" in page
    assert "level=warn" in page


def test_the_last_lines_of_what_crashed_stand_on_top(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = running.observed_instances.get(number=2)
    row.state, row.exit_code, row.wanted = InstanceState.FAILED, 137, False
    row.save()
    asked = writes(driver, monkeypatch, line(b"fatal: out of memory", number=2))
    page = browse("developer").get(LOGS).content.decode()
    assert "web 2 crashed with exit code 137" in page
    assert page.index("fatal: out of memory") < page.index("data-logs")
    assert f"instance={row.pk}" in page
    assert row.engine_id in {query.instance for query in asked}
    alone = browse("developer").get(f"{LOGS}?instance={row.pk}").content.decode()
    assert "log-crash" not in alone


def test_a_moment_begins_where_it_is_and_has_an_end(
    browse: Browse, running: AppEnvironment, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = writes(driver, monkeypatch)
    page = browse("developer").get(f"{LOGS}?at=2026-11-21T09:47:00").content.decode()
    query = asked[0]
    assert query.since == datetime(2026, 11, 21, 9, 45, tzinfo=UTC)
    assert query.until == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert query.tail is None
    assert "follow=true" not in page
    for nonsense in ("at=yesterday", "from=2026-99-99", "at=0001-01-01T00:00:00", "range=x", "level=x", "number=-1"):
        assert browse("developer").get(f"{LOGS}?{nonsense}").status_code == 200


def test_the_script_is_told_where_the_lines_come_from(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").get(f"{LOGS}?environment=dev&service=web").content.decode()
    stream = "/ws/v1/logs?tenant=acme&amp;project=shop&amp;app=hello&amp;environment=dev&amp;service=web&amp;newest="
    assert f'data-stream="{stream}' in page
    assert "vendor/logs.js" in page
