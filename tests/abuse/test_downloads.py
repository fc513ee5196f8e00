"""Downloads name no files of ours and take no paths of theirs."""

import io
import re
import zipfile
from collections.abc import Callable
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from apps.building import ref_of
from apps.models import AppEnvironment
from backends.fake import FakeDriver
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
