"""The bytes of an upload as they come over the wire: through the real server, in one piece of any size."""

import contextlib
import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from core.api import inlet
from images.models import Upload
from images.uploading import receiving, room
from launcher.processes import until
from portal import patience
from portal.asgi import pages
from portal.patience import Bodies, Patient
from tenants.models import Token
from tests.conftest import Cast
from tests.images.real import one_transaction_at_a_time
from tests.uploading.archives import entry
from tests.uploading.conftest import UPLOADS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("registry")]
MIB = 2**20
SECONDS = 60


@pytest.fixture
def port() -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Bodies(pages), http=Patient, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    with one_transaction_at_a_time():
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def token(cast: Cast) -> str:
    return Token.objects.create(cast.developer, name="ci")[1]


def ask(port: int, token: str, method: str, path: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as made:
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        made.request(method, path, headers=headers, **more)
        answer = made.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def begin(port: int, token: str, size: int) -> str:
    body = json.dumps({"file_name": "web.tar", "size_bytes": size})
    status, _headers, said = ask(port, token, "POST", UPLOADS, body=body, headers={"Content-Type": "application/json"})
    assert status == 201, said
    return str(json.loads(said)["id"])


def head_of(size: int) -> bytes:
    """The header of a file so large that the rest of the archive is its content."""
    return entry("large", size=size).tobuf()


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_curl_sends_a_large_file_and_memory_stays_flat(port: int, token: str, tmp_path: Path) -> None:
    size = 400 * MIB
    file = tmp_path / "web.tar"
    file.write_bytes(head_of(size - 1536))
    with file.open("r+b") as opened:
        opened.truncate(size - MIB)  # the last part is sent afterwards
    upload = begin(port, token, size)
    most, ended = [resident()], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            most.append(resident())

    watching = threading.Thread(target=watch)
    watching.start()
    address = f"http://127.0.0.1:{port}{UPLOADS}/{upload}"
    words = ["curl", "-sS", "-D", "-", "-H", f"Authorization: Bearer {token}", "-H", "Upload-Offset: 0"]
    done = subprocess.run(
        [*words, "-X", "PATCH", "-T", str(file), address], capture_output=True, text=True, timeout=300
    )
    ended.set()
    watching.join()
    assert "204" in done.stdout.splitlines()[0] or "204" in done.stdout, done.stdout + done.stderr
    assert Upload.objects.get(pk=upload).received_bytes == size - MIB
    assert max(most) - most[0] < 64 * MIB, f"memory grew by {(max(most) - most[0]) // MIB} MiB"


def test_what_came_before_a_cut_counts(port: int, token: str) -> None:
    upload = begin(port, token, 64 * MIB)
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as made:
        made.sendall(
            f"PATCH {UPLOADS}/{upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            f"Upload-Offset: 0\r\nContent-Length: {64 * MIB}\r\n\r\n".encode()
        )
        made.sendall(head_of(60 * MIB) + b"\0" * (8 * MIB))
    sent = 512 + 8 * MIB

    def received() -> int:
        return int(ask(port, token, "HEAD", f"{UPLOADS}/{upload}")[1]["upload-offset"])

    assert until(lambda: 0 < received() <= sent, seconds=SECONDS)
    assert until(lambda: received() == sent, seconds=SECONDS)
    status, headers, _said = ask(
        port, token, "PATCH", f"{UPLOADS}/{upload}", body=b"\0" * MIB, headers={"Upload-Offset": str(sent)}
    )
    assert (status, headers["upload-offset"]) == (204, str(sent + MIB))


def test_who_stands_still_is_not_waited_for(port: int, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlet, "STALLED_SECONDS", 0.3)
    monkeypatch.setattr(patience, "LINGER_SECONDS", 0.1)
    upload = begin(port, token, MIB)
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as made:
        made.sendall(
            f"PATCH {UPLOADS}/{upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            f"Upload-Offset: 0\r\nContent-Length: {MIB}\r\n\r\n".encode()
            + head_of(MIB - 2048)
        )
        said = made.recv(65536)
    assert b"upload-offset: 512" in said.lower()


def test_a_second_connection_takes_over_from_one_that_is_half_dead(
    port: int, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "NOTED_SECONDS", 0.0)
    upload = begin(port, token, 4 * MIB)
    request = (
        f"PATCH {UPLOADS}/{upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Upload-Offset: %d\r\nContent-Length: {4 * MIB}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as old:
        old.sendall((request % 0).encode() + head_of(4 * MIB - 2048) + b"\0" * MIB)
        assert until(lambda: Upload.objects.get(pk=upload).received_bytes >= MIB, seconds=SECONDS)
        at = Upload.objects.get(pk=upload).received_bytes
        status, headers, _said = ask(
            port, token, "PATCH", f"{UPLOADS}/{upload}", body=b"\0" * 1000, headers={"Upload-Offset": str(at)}
        )
        assert (status, headers["upload-offset"]) == (204, str(at + 1000))
        with contextlib.suppress(ConnectionError):
            old.sendall(b"\1" * MIB)
            old.recv(65536)
    assert Upload.objects.get(pk=upload).received_bytes == at + 1000


@pytest.mark.parametrize("path", [UPLOADS.replace("shop", "nothing"), "/api/v1/tenants/globex/projects/store/uploads"])
def test_a_stranger_is_refused_before_the_body_comes(path: str, port: int, token: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(patience, "LINGER_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as made:
        made.sendall(
            f"PATCH {path}/01234567-0123-7123-8123-012345678901 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\nUpload-Offset: 0\r\nContent-Length: {2**40}\r\n\r\n".encode()
        )
        said = made.recv(65536)
    assert said.startswith(b"HTTP/1.1 404")
    assert b"connection: close" in said.lower()


def test_only_so_many_at_once(port: int, token: str) -> None:
    uploads = [begin(port, token, MIB) for _number in range(5)]
    held = []
    try:
        for upload in uploads[:4]:
            made = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
            held.append(made)
            made.sendall(
                f"PATCH {UPLOADS}/{upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                f"Upload-Offset: 0\r\nContent-Length: {MIB}\r\n\r\n".encode()
            )
        assert until(lambda: Upload.objects.exclude(writer="").count() == 4, seconds=SECONDS)
        status, headers, said = ask(
            port, token, "PATCH", f"{UPLOADS}/{uploads[4]}", body=b"\0", headers={"Upload-Offset": "0"}
        )
        assert (status, json.loads(said)["code"]) == (429, "too_many_streams")
        assert "retry-after" in headers
    finally:
        for made in held:
            made.close()
    assert room.folder().exists()
