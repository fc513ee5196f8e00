"""What the gate in front of the registry understands, and what it does not pass on."""

import socket
import threading

import pytest

from launcher.gate import berth, heads
from launcher.gate.heads import Unclear, read
from launcher.gate.places import Places

HOST = "Host: r:5000"


def head(line: str, *fields: str) -> heads.Head:
    return read("\r\n".join([line, HOST, *fields]).encode("latin-1"))


@pytest.mark.parametrize(
    ("line", "aim"),
    [
        ("PUT /v2/acme/shop/web/manifests/v1 HTTP/1.1", ("manifest", "acme/shop/web", "v1")),
        ("GET /v2/acme/shop/web/manifests/sha256:ab HTTP/1.1", ("manifest", "acme/shop/web", "sha256:ab")),
        ("POST /v2/acme/shop/web/blobs/uploads/ HTTP/1.1", ("uploads", "acme/shop/web", "")),
        ("POST /v2/a/b/c/blobs/uploads/?mount=sha256:ab&from=a/b/d HTTP/1.1", ("uploads", "a/b/c", "")),
        ("PATCH /v2/a/b/c/blobs/uploads/123-4?_state=x_y%3D%3D HTTP/1.1", ("upload", "a/b/c", "123-4")),
        ("DELETE /v2/a/b/c/blobs/sha256:ab HTTP/1.1", ("blob", "a/b/c", "sha256:ab")),
        ("PUT /v2/a/b/blobs/uploads/manifests/v1 HTTP/1.1", ("manifest", "a/b/blobs/uploads", "v1")),
        ("GET /v2/ HTTP/1.1", ("", "", "")),
        ("GET /v2/_catalog?n=5 HTTP/1.1", ("", "", "")),
        ("GET /v2/a/b/c/tags/list HTTP/1.1", ("", "", "")),
    ],
)
def test_what_is_asked_for(line: str, aim: tuple[str, str, str]) -> None:
    assert head(line).aim == aim


@pytest.mark.parametrize(
    "line",
    [
        "PUT /v2/a/b/c/manifests/v1 HTTP/1.0",
        "PUT  /v2/a/b/c/manifests/v1 HTTP/1.1",
        "PUT http://r:5000/v2/a/b/c/manifests/v1 HTTP/1.1",
        "PUT /v2/a/b/c/manifests/%761 HTTP/1.1",
        "PUT /v2/a/b/c/../manifests/v1 HTTP/1.1",
        "PUT /v2/a/b//manifests/v1 HTTP/1.1",
        "PUT /v2/a/b/c/manifests/v1/ HTTP/1.1",
        "PUT /v2/a/b/c/manifests/v1\x00 HTTP/1.1",
        "PUT /v2/a/b/c/manifests/v1#x HTTP/1.1",
        "BREW /v2/a/b/c/manifests/v1 HTTP/1.1",
        "put /v2/a/b/c/manifests/v1 HTTP/1.1",
        "GET /debug/vars HTTP/1.1",
        "",
    ],
)
def test_what_is_not_clear_is_not_passed_on(line: str) -> None:
    with pytest.raises(Unclear):
        head(line)


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Length: 3", "Transfer-Encoding: chunked"),
        ("Content-Length: 3", "Content-Length: 3"),
        ("Content-Length: +3",),
        ("Content-Length: 3, 3",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding : chunked",),
        ("X: a", " folded"),
        ("X: a\x00b",),
        ("X: a\rY: b",),
        ("Host: other",),
        ("Authorization: Bearer a", "Authorization: Bearer b"),
        ("no colon",),
    ],
)
def test_bodies_and_fields_that_could_be_read_in_two_ways(fields: tuple[str, ...]) -> None:
    with pytest.raises(Unclear):
        head("PATCH /v2/a/b/c/blobs/uploads/1 HTTP/1.1", *fields)


def test_one_request_a_connection() -> None:
    """So that nothing that follows it on the same one is ever read."""
    said = head("GET /v2/ HTTP/1.1", "Connection: keep-alive, X-Kept", "Upgrade: h2c", "X-Kept: 1").written()
    assert said == b"GET /v2/ HTTP/1.1\r\nHost: r:5000\r\nX-Kept: 1\r\nConnection: close\r\n\r\n"


def test_what_a_manifest_names() -> None:
    told = b'{"config": {"digest": "sha256:c", "size": 2}, "layers": [{"digest": "sha256:l", "size": 9}]}'
    assert berth.parts_of(told) == {"config": ["sha256:c", 2], "layers": [["sha256:l", 9]], "images": []}
    listed = b'{"manifests": [{"digest": "sha256:m", "size": 1}]}'
    assert berth.parts_of(listed) == {"config": None, "layers": [], "images": ["sha256:m"]}


@pytest.mark.parametrize(
    "told",
    [b"", b"[]", b"1", b'"x"', b'{"layers": 5}', b'{"layers": ["x"]}', b"[" * 100_000,
     b'{"layers": [' + b",".join([b'{"digest": "x", "size": 1}'] * 501) + b"]}"],
)  # fmt: skip
def test_what_is_no_manifest(told: bytes) -> None:
    assert berth.parts_of(told) is None


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.e30.c", "a." + "W10" + ".c", "...."])
def test_whom_a_token_names_is_not_believed_but_read(token: str) -> None:
    assert berth.subject(token) == ""


def test_a_berth_that_is_just_starting_anew_is_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            server.accept()[0].close()
            with server.accept()[0] as second:
                told = b""
                while b'"deed": "tag"' not in told:
                    told += second.recv(65536)
                second.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        places = Places("127.0.0.1", 1, "x", f"http://127.0.0.1:{server.getsockname()[1]}/registry/gate", "secret")
        assert berth.ask(places, {"deed": "tag"}).status == 204
        thread.join(10)


def test_where_berth_is_not_there_it_is_a_no() -> None:
    places = Places("127.0.0.1", 1, "x", "http://127.0.0.1:9/registry/gate", "secret")
    verdict = berth.ask(places, {"deed": "tag"})
    assert verdict.status == 503
    assert b"Berth does not answer" in verdict.body
    assert "secret" not in repr(places)
