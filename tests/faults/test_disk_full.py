"""A full disk: refused with words, nothing half-done, nothing unrecorded; and well again once there is room."""

import contextlib
import errno
import json
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg.errors
import pytest
from cryptography.fernet import Fernet
from django.db import DatabaseError, OperationalError

from benchmarks.client import Answer, Client, Wrong
from portal.problems import as_no_space
from tests.e2e.portal import Portal, until

SIZE = "64m"
SHOP = "/api/v1/tenants/demo/projects/shop"


def caused(cause: BaseException) -> DatabaseError:
    """As Django wraps what a database says."""
    error = OperationalError("no room")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("code", ["SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"])
def test_sqlite_without_room_is_recognized(code: str) -> None:
    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorname = code
    assert as_no_space(caused(cause)) is not None


def test_postgresql_and_files_without_room_are_recognized() -> None:
    assert as_no_space(caused(psycopg.errors.DiskFull("could not extend file")))
    assert as_no_space(OSError(errno.ENOSPC, "No space left on device"))


def test_other_trouble_is_not_taken_for_it() -> None:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorname = "SQLITE_BUSY"
    for error in (caused(locked), OperationalError("?"), OSError(errno.EACCES, "x"), ValueError("x"), None):
        assert as_no_space(error) is None


@dataclass
class Small:
    """A portal whose state, database and temporary files lie on one small disk."""

    portal: Portal
    disk: Path
    client: Client

    def fill(self) -> None:
        """Until not one byte more can be written."""
        with (self.disk / "filler").open("wb", buffering=0) as file:
            for piece in (b"x" * 65536, b"x"):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(piece)

    def make_room(self) -> None:
        (self.disk / "filler").unlink()

    def ask(self, method: str, path: str, document: Any = None, *, wanted: int = 200) -> Answer:
        body = None if document is None else json.dumps(document).encode()
        return self.client.ask(method, path, body=body, wanted=wanted, Content_Type="application/json")

    def apps(self) -> set[str]:
        return {app["name"] for app in self.ask("GET", f"{SHOP}/apps").json()["results"]}

    def recorded(self) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self.disk}/state/berth.sqlite3?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM audit_auditentry").fetchone()[0])


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "berth-test", str(disk)], check=True)
    portal = Portal(disk / "state", "", "")
    try:
        yield started(portal, disk)
    finally:
        portal.stop()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def started(portal: Portal, disk: Path) -> Small:
    for folder in (portal.state, disk / "temp"):
        folder.mkdir()
    keys = {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_KEYS": Fernet.generate_key().decode()}
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    portal.environment = kept | keys | {"BERTH_STATE": str(portal.state), "TMPDIR": str(disk / "temp")}
    said = portal.manage("prepare", "--engine-note", "none here")
    portal.password = json.loads(said.splitlines()[-1])["password"]
    portal.start()
    return Small(portal, disk, Client(int(portal.url.rpartition(":")[2]), token=portal.token()))


@pytest.mark.live
def test_what_cannot_be_recorded_is_not_done_and_room_makes_it_well(small: Small) -> None:
    small.ask("POST", f"{SHOP}/apps", {"name": "before"}, wanted=201)
    apps, recorded = small.apps(), small.recorded()
    small.fill()

    refused = [small.ask("POST", f"{SHOP}/apps", {"name": f"during-{n}"}, wanted=507).json() for n in range(3)]
    for problem in refused:
        assert problem["code"] == "no_space"
        assert problem["detail"]
        assert "make room" in problem["hint"]
    small.ask("PATCH", f"{SHOP}/apps/before", {"title": "during"}, wanted=507)
    door = Client(small.client.connection.port)
    page = door.get("/accounts/sign-in/").body.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    form = f"csrfmiddlewaretoken={token}&username=owner&password={small.portal.password}".encode()
    kind = "application/x-www-form-urlencoded"
    said = door.ask("POST", "/accounts/sign-in/", body=form, wanted=507, Content_Type=kind).body.decode()
    assert "The disk of Berth is full" in said
    assert small.apps() == apps, "what is there can still be read"
    assert small.recorded() == recorded, "nothing was done, so nothing is on record"
    assert not list((small.disk / "temp").iterdir()), "no partial file"

    small.make_room()

    def well() -> bool:
        with contextlib.suppress(Wrong):
            small.ask("POST", f"{SHOP}/apps", {"name": "after"}, wanted=201)
            return True
        return False

    until(well, seconds=60)
    assert small.apps() == apps | {"after"}
    small.client.sign_in("owner", small.portal.password)
    assert "all in order" in small.portal.manage("verify_audit")
    with contextlib.closing(sqlite3.connect(small.disk / "state" / "berth.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
