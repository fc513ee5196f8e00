"""The one client for addresses that people give: what it calls, shows, follows, waits for and believes."""

import gzip
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from core.outbound import Credentials, Unreached, opened
from tests.certificates import signed
from tests.outbound.speaking import speaking, whole


@pytest.fixture(autouse=True)
def _inside(settings: Settings) -> None:
    settings.OUTBOUND = settings.OUTBOUND | {"networks": [ip_network("127.0.0.0/8")]}


def told_by(says: Callable[[socket.socket, bytes], None], **more: Any) -> tuple[int, bytes]:
    with speaking(says) as port, opened("GET", f"http://127.0.0.1:{port}/", seconds=5, **more) as answer:
        return answer.status, answer.read()


def test_an_answer_and_what_was_asked() -> None:
    heads: list[bytes] = []

    def says(line: socket.socket, head: bytes) -> None:
        heads.append(head)
        whole(b"there", status="404 Not Found", headers="X-Word: yes\r\n")(line, head)

    with (
        speaking(says) as port,
        opened("PUT", f"http://127.0.0.1:{port}/a?b=1", headers={"X-Kind": "k"}, content=b"body") as answer,
    ):
        assert (answer.status, answer.headers["x-word"], answer.read()) == (404, "yes", b"there")
    head = heads[0].decode()
    assert head.startswith("PUT /a?b=1 HTTP/1.1\r\n")
    assert all(line in head for line in (f"Host: 127.0.0.1:{port}", "X-Kind: k", "Content-Length: 4"))


def test_what_is_sent_in_pieces_takes_no_memory_for_all() -> None:
    got = bytearray()

    def says(line: socket.socket, head: bytes) -> None:
        got.extend(head.partition(b"\r\n\r\n")[2])
        while len(got) < 5 * 2**20:
            got.extend(line.recv(2**20))
        whole()(line, head)

    def pieces() -> Iterator[bytes]:
        yield from (b"x" * 2**20 for _turn in range(5))

    with speaking(says) as port:
        sized = {"Content-Length": str(5 * 2**20)}
        with opened("PUT", f"http://127.0.0.1:{port}/", headers=sized, content=pieces()) as answer:
            assert answer.read() == b"yes"
    assert bytes(got) == b"x" * 5 * 2**20


def test_a_name_is_looked_up_once_and_that_number_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = socket.getaddrinfo, []

    def look_up(host: str, *rest: Any, **more: Any) -> Any:
        if host == "changes.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with speaking(whole()) as port, opened("GET", f"http://changes.example:{port}/") as answer:
        assert answer.read() == b"yes"
    assert asked == ["changes.example"]


def test_credentials_go_where_they_were_kept_for_and_nowhere_else() -> None:
    heads: list[bytes] = []

    def listens(line: socket.socket, head: bytes) -> None:
        heads.append(head)
        whole()(line, head)

    with speaking(listens) as port:
        for place in (f"http://127.0.0.1:{port}", "http://127.0.0.1:1024", f"https://127.0.0.1:{port}"):
            kept = Credentials(place, "Basic c2VjcmV0")
            assert "c2VjcmV0" not in repr(kept)
            with opened("GET", f"http://127.0.0.1:{port}/", credentials=kept) as answer:
                answer.read()
    assert [b"Authorization" in head for head in heads] == [True, False, False]


def test_leading_on_is_followed_where_it_is_asked_for_without_credentials() -> None:
    heads: list[bytes] = []

    def listens(line: socket.socket, head: bytes) -> None:
        heads.append(head)
        whole(b"end")(line, head)

    with speaking(listens) as far, speaking(_leading(f"http://127.0.0.1:{far}/blob")) as near:
        kept = Credentials(f"http://127.0.0.1:{near}", "Basic c2VjcmV0")
        with opened("GET", f"http://127.0.0.1:{near}/", credentials=kept) as answer:
            assert answer.status == 307
        with opened("GET", f"http://127.0.0.1:{near}/", credentials=kept, follow=1) as answer:
            assert answer.read() == b"end"
    assert len(heads) == 1
    assert b"Authorization" not in heads[0]


@pytest.mark.parametrize("there", ["http://169.254.169.254/", "file:///etc/passwd", "http://10.0.0.1/"])
def test_leading_inside_is_refused(there: str) -> None:
    with (
        speaking(_leading(there)) as port,
        pytest.raises(Exception, match="address_refused"),
        opened("GET", f"http://127.0.0.1:{port}/", follow=3),
    ):
        pytest.fail("it went there")


def test_going_in_circles_ends() -> None:
    with (
        speaking(lambda line, head: _leading("/again")(line, head)) as port,
        opened("GET", f"http://127.0.0.1:{port}/", follow=3) as answer,
    ):
        assert answer.status == 307


def _leading(there: str) -> Callable[[socket.socket, bytes], None]:
    return whole(b"", status="307 Temporary Redirect", headers=f"Location: {there}\r\n")


def _drips_its_head(line: socket.socket, _head: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.sendall(b"X: y\r\n")
        time.sleep(0.05)


def _drips_its_body(line: socket.socket, _head: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        line.sendall(b"x")
        time.sleep(0.05)


def _says_nothing(line: socket.socket, _head: bytes) -> None:
    line.recv(1)


def _breaks_off(line: socket.socket, _head: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def _breaks_off_in_a_chunk(line: socket.socket, _head: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf")


def _never_ends(line: socket.socket, _head: bytes) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        line.sendall(b"x" * 65536)


def _is_no_server(line: socket.socket, _head: bytes) -> None:
    line.sendall(b"SSH-2.0-OpenSSH_9.9\r\n" * 100)


PACKED = whole(gzip.compress(b"0" * 2**20), headers="Content-Encoding: gzip\r\n")


@pytest.mark.parametrize(
    "says",
    [
        _drips_its_head, _drips_its_body, _says_nothing, _breaks_off, _breaks_off_in_a_chunk, _never_ends,
        _is_no_server, PACKED,
    ],
)  # fmt: skip
def test_what_answers_badly_ends_in_time_with_a_sentence(says: Callable[[socket.socket, bytes], None]) -> None:
    with (
        speaking(says) as port,
        pytest.raises(Unreached) as told,
        opened("GET", f"http://127.0.0.1:{port}/", seconds=1) as answer,
    ):
        answer.read()
    assert f"127.0.0.1:{port}" in str(told.value.message)
    assert told.value.hint


def test_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreached), opened("GET", f"http://127.0.0.1:{port}/"):
        pytest.fail("somebody answered")


def test_a_callers_own_error_is_its_own() -> None:
    with (
        pytest.raises(OSError, match="my disk"),
        speaking(whole()) as port,
        opened("GET", f"http://127.0.0.1:{port}/"),
    ):
        raise OSError("my disk")


def test_the_certificate_is_looked_at(settings: Settings, tmp_path: Path) -> None:
    authority = signed("authority")
    pair = signed("127.0.0.1", by=authority)
    files = {"key": pair.key_pem, "pem": pair.pem, "authority": authority.pem}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "pem", tmp_path / "key")
    with speaking(whole(), tls) as port:
        url = f"https://127.0.0.1:{port}/"
        with pytest.raises(Unreached) as told, opened("GET", url):
            pytest.fail("it was believed")
        assert "certificate" in str(told.value.message)
        settings.OUTBOUND = settings.OUTBOUND | {"authorities": str(tmp_path / "authority")}
        with opened("GET", url) as answer:
            assert answer.read() == b"yes"
