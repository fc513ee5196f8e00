"""Clients that read slowly or not at all, on a real portal: they hold nothing that others need."""

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from benchmarks.client import Client
from benchmarks.machine import memory_of
from tests.e2e.portal import Portal

pytestmark = pytest.mark.live
SLOW_ONES = 100
MORE_MEMORY = 48 * 2**20


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    """Without an engine: none is needed to be slow."""
    state = tmp_path / "state"
    state.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    keys = {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_KEYS": Fernet.generate_key().decode()}
    made = Portal(state, "", "", environment=kept | keys | {"BERTH_STATE": str(state)})
    made.password = json.loads(made.manage("prepare", "--engine-note", "none here").splitlines()[-1])["password"]
    made.start()
    try:
        yield made
    finally:
        made.stop()


def port_of(portal: Portal) -> int:
    return int(portal.url.rpartition(":")[2])


def request(portal: Portal, token: str) -> bytes:
    """For the API's description, which is large."""
    lines = ("GET /api/v1/schema HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", "", "")
    return "\r\n".join(lines).encode()


def test_who_never_reads_an_answer_holds_up_nobody(portal: Portal) -> None:
    token = portal.token()
    person = Client(port_of(portal))
    person.sign_in("owner", portal.password)
    person.get("/")
    person.get("/api/v1/schema")  # made once a process, and kept
    process = portal.process
    assert process is not None
    before = memory_of(process.pid)
    with contextlib.ExitStack() as deaf:
        for _one in range(SLOW_ONES):
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            made.connect(("127.0.0.1", port_of(portal)))
            deaf.enter_context(made)
            made.sendall(request(portal, token))
        assert person.get("/").status == 200
        assert memory_of(process.pid) - before < MORE_MEMORY
    assert process.poll() is None


def test_who_sends_byte_by_byte_holds_up_nobody(portal: Portal) -> None:
    person = Client(port_of(portal))
    person.sign_in("owner", portal.password)
    with contextlib.ExitStack() as slow:
        for _one in range(SLOW_ONES):
            made = slow.enter_context(socket.create_connection(("127.0.0.1", port_of(portal))))
            made.sendall(b"POST /accounts/sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\na")
        assert person.get("/").status == 200
