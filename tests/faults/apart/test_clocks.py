"""Clocks ten minutes apart: processes whose clock is wrong by so much, beside others and a database that are right."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from launcher.processes import until
from launcher.services import free_port
from tests.faults.apart.projects import comes_to_an_end, suspended, without
from tests.installation import START_SECONDS, Installation

CLOCKS = Path(__file__).parent / "clocks"
AHEAD = [600, -600]
TIMES = """
    SELECT created_at FROM operations_operation WHERE id = %(id)s
    UNION ALL SELECT started_at FROM operations_operation WHERE id = %(id)s
    UNION ALL SELECT ended_at FROM operations_operation WHERE id = %(id)s
    UNION ALL SELECT at FROM operations_operationevent WHERE operation_id = %(id)s
    UNION ALL SELECT at FROM audit_auditentry WHERE operation_id = %(id)s
"""


@contextmanager
def with_clock(berth: Installation, name: str, seconds: int, **more: str) -> Iterator[str]:
    """One more process of that kind, whose clock is so many seconds ahead; what it is called."""
    called = f"{name} {seconds:+}"
    berth.start(name, called=called, PYTHONPATH=str(CLOCKS), BERTH_TEST_CLOCK_SECONDS=str(seconds), **more)
    try:
        yield called
    finally:
        berth.processes.pop(called).end(grace_seconds=20)


def now(database: psycopg.Connection) -> float:
    (moment,) = database.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone() or (0,)
    return float(moment)


@pytest.mark.parametrize("seconds", AHEAD)
def test_a_worker_finds_what_was_lost_and_writes_the_databases_times(
    berth: Installation, database: psycopg.Connection, messages: redis.Redis, seconds: int
) -> None:
    """Every message is lost, so that only what beat sends, by the right clock, can wake it."""
    with without(berth, "worker"):
        began = now(database)
        operation = suspended(berth, f"clock-{abs(seconds)}-{'ahead' if seconds > 0 else 'behind'}")
        messages.flushall()
        with with_clock(berth, "worker", seconds) as called:
            comes_to_an_end(berth, database, operation, by=called)
    times = [moment.timestamp() for (moment,) in database.execute(TIMES, {"id": operation})]
    assert len(times) > 5
    assert began - 1 <= min(times)
    assert max(times) <= now(database) + 1
    berth.manage("verify_audit")


@pytest.mark.parametrize("seconds", AHEAD)
def test_beats_count_on_no_clock(
    berth: Installation, database: psycopg.Connection, messages: redis.Redis, seconds: int
) -> None:
    with without(berth, "worker", "beat"):
        operation = suspended(berth, f"beat-{abs(seconds)}-{'ahead' if seconds > 0 else 'behind'}")
        messages.flushall()
        with with_clock(berth, "beat", seconds) as called:
            berth.start("worker", called="worker in time")
            try:
                comes_to_an_end(berth, database, operation, by=called)
            finally:
                berth.processes.pop("worker in time").end(grace_seconds=20)


def status(port: int, token: str) -> int:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/tenants/demo/roles")
    asked.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 -- our own address
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return int(refused.code)


@pytest.mark.parametrize("seconds", AHEAD)
def test_a_portal_ends_tokens_and_roles_when_the_database_says(
    berth: Installation, database: psycopg.Connection, seconds: int
) -> None:
    """One token was over five minutes ago, one is for five more; then the same of the role behind it."""
    tokens = [berth.manage("create_token", "owner", "--name", f"{name} {seconds}").splitlines()[-1] for name in "ab"]
    for name, minutes in (("a", -5), ("b", 5)):
        database.execute(
            "UPDATE tenants_token SET expiry = now() + make_interval(mins => %s) WHERE name = %s",
            [minutes, f"{name} {seconds}"],
        )
    port = free_port()
    ends = "UPDATE tenants_grant SET ends_at = now() + make_interval(mins => %s) WHERE role LIKE %s"
    try:
        with with_clock(berth, "web", seconds, PORT=str(port), WEB_CONCURRENCY="1") as called:
            assert until(lambda: _answers(port), seconds=START_SECONDS), berth.said(called)
            assert [status(port, token) for token in tokens] == [401, 200], berth.said(called)
            database.execute(ends, [5, "%"])
            assert status(port, tokens[1]) == 200
            database.execute(ends, [-5, "%"])
            assert status(port, tokens[1]) == 404
    finally:
        database.execute("UPDATE tenants_grant SET ends_at = NULL")


def _answers(port: int) -> bool:
    try:
        return status(port, "nothing") == 401
    except OSError:
        return False
