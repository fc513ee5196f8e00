"""Downloads name no files of ours and take no paths of theirs."""

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncGenerator, Callable
from urllib.parse import quote

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.building import ref_of
from apps.models import AppEnvironment
from backends.fake import FakeDriver
from core import seats
from core.api.streaming import Pump
from tenants.models import Token
from tests.abuse.test_isolation import ask
from tests.conftest import Cast

Api = Callable[[str], APIClient]
E = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev"
PATHS = [
    "../../etc/passwd",
    "/etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..\\..\\windows",
    "%00",
    "logs\0.txt",
    "file:///etc/passwd",
    "web-1.log\r\nSet-Cookie: a=b",
]


@pytest.fixture
def text(cast: Cast) -> str:
    return str(Token.objects.create(cast.developer, name="t")[1])


@pytest.mark.parametrize("path", PATHS)
def test_no_address_reaches_a_file(path: str, running: AppEnvironment, text: str) -> None:
    for address in (f"{E}/logs/{quote(path, safe='%')}", f"{E}/logs/download/{quote(path, safe='%')}"):
        status, _headers, body = ask(text, "get", address)
        assert status == 404
        assert b"root:" not in body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("parameter", ["service", "instance", "file", "path", "name", "filename"])
def test_no_parameter_reaches_a_file(parameter: str, path: str, running: AppEnvironment, text: str) -> None:
    status, headers, body = ask(text, "get", f"{E}/logs/download?{parameter}={quote(path)}")
    assert status == 400
    assert "Set-Cookie" not in headers
    assert b"root:" not in body


def test_a_download_has_a_plain_name_and_no_type_to_guess(
    running: AppEnvironment, text: str, driver: FakeDriver
) -> None:
    driver.say(ref_of(running, "web"), 1, b"<script>alert(1)</script>")
    status, headers, body = ask(text, "get", f"{E}/logs/download")
    assert status == 200
    assert re.fullmatch(r'attachment; filename="[a-z0-9-]+\.zip"', headers["Content-Disposition"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(body)).namelist()
    assert all(re.fullmatch(r"web/[1-3]-[0-9a-f]{8}\.log", name) for name in names), names


def test_lines_are_text_whatever_they_hold(running: AppEnvironment, text: str, driver: FakeDriver) -> None:
    line = b"<script>x</script> \x1b]52;c;aGk=\x07 \x1b]0;title\x07 =cmd() \x00 \xff\xfe " + b"y" * 100_000
    driver.say(ref_of(running, "web"), 2, line)
    _status, headers, body = ask(text, "get", f"{E}/logs?tail=5")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert line in body
    _status, headers, body = ask(text, "get", f"{E}/logs?tail=5&format=ndjson")
    assert b"\x1b" not in body
    assert b"\x00" not in body
    assert b"\\u001b]52;" in body


def test_whose_logs_cannot_be_changed_by_a_parameter(running: AppEnvironment, cast: Cast, text: str) -> None:
    for query in ("tenant=globex", "project=store", "app=other", "environment=prod", "engine_id=x", "container=x"):
        assert ask(text, "get", f"{E}/logs?{query}")[0] == 400


def test_a_file_is_the_apps_own_bytes(running: AppEnvironment, text: str, driver: FakeDriver) -> None:
    lines = [b"\x00\xff\xfe", b"\x1b]52;c;aGk=\x07", "\u202ertl".encode(), b"z" * 300_000]
    for line in lines:
        driver.say(ref_of(running, "web"), 1, line)
    row = running.observed_instances.get(number=1)
    _status, headers, body = ask(text, "get", f"{E}/logs/download?instance={row.pk}&timestamps=false")
    assert headers["Content-Disposition"].startswith("attachment; filename=")
    assert body.endswith(b"\n".join(lines) + b"\n")


def test_what_is_downloaded_is_what_the_filters_leave(running: AppEnvironment, text: str, driver: FakeDriver) -> None:
    driver.say(ref_of(running, "web"), 1, b"ERROR one")
    driver.say(ref_of(running, "web"), 1, b"  at two")
    driver.say(ref_of(running, "web"), 2, b"WARN three")
    _status, _headers, body = ask(text, "get", f"{E}/logs/download?level=error&format=text")
    assert [line.split(b" ", 2)[2] for line in body.splitlines()] == [b"ERROR one", b"  at two"]
    _status, _headers, body = ask(text, "get", f"{E}/logs/download?number=2&search=three&format=text")
    assert [line.split(b" ", 2)[2] for line in body.splitlines()] == [b"WARN three"]


def test_a_page_of_hostile_lines_is_text(
    running: AppEnvironment, cast: Cast, client: Client, driver: FakeDriver
) -> None:
    hostile = b"<img src=x onerror=alert(1)> javascript:alert(1) \x1b]8;;http://evil\x07link\x1b]8;;\x07 "
    hostile += b"\x1b]0;t\x07\x1b[2J \x00"
    driver.say(ref_of(running, "web"), 1, hostile + "\u202e".encode() + b"\xff")
    client.force_login(cast.developer)
    page = client.get("/t/acme/p/shop/apps/hello/logs/?environment=dev").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; javascript:alert(1) link  \ufffd\u2039U+202E\u203a\ufffd" in page
    assert 'href="http://evil' not in page
    assert "\x1b" not in page


async def test_who_reads_too_slowly_is_let_go_of() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x" * 32_768
        finally:
            closed.set()

    seat = seats.take(None, None, kind="download")
    pump = Pump(endless(), seat)

    async def read() -> None:
        async for _piece in pump.pieces(patience=0.05):
            await asyncio.Event().wait()  # never done with the first piece

    reading = asyncio.create_task(read())
    await asyncio.wait([reading], timeout=5)
    assert reading.cancelled()
    async with asyncio.timeout(5):
        await closed.wait()
    assert seats.held(None, kind="download") == 0
