"""Canaries: secrets that were really used, looked for in everything that the portal ever says, writes or sends."""

import base64
import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from launcher.services import PrivatePostgres, program
from portal.checks import routes
from tests.backends.guarded import Guarded, behind_tls
from tests.e2e.portal import until
from tests.engine import LiveEngine
from tests.faults.caller import SHOP, Answer, Caller, spec
from tests.installation import Installation
from tests.rules import addresses

pytestmark = pytest.mark.live
KNOWN = {"tenant": "demo", "project": "shop", "app": "canary", "environment": "dev", "cluster": "far", "number": "1"}
SESSIONS = "tenants_session"  # a signed-in browser's row is found by its key, so the key stands there


class Canaries(dict[str, str]):
    """Name to text."""

    def in_(self, where: str, text: str | bytes) -> list[str]:
        """Which of them sing somewhere."""
        said = text.decode(errors="replace") if isinstance(text, bytes) else text
        return [f"{name} in {where}" for name, canary in self.items() if canary in said]


@pytest.fixture(scope="module")
def reader(berth: Installation) -> Caller:
    made = Caller(berth.url(""))
    made.sign_in("owner", berth.password)
    return made


@pytest.fixture(scope="module")
def far(engine: LiveEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The engine once more, behind a door that wants a key."""
    with behind_tls(engine, tmp_path_factory.mktemp("door")) as found:
        yield found


@pytest.fixture(scope="module")
def canaries(berth: Installation, caller: Caller, reader: Caller, far: Guarded) -> Canaries:
    """Every kind of secret there is, each one used once."""
    typed = f"canary-{secrets.token_hex(12)}"
    Caller(berth.url("")).submit("/accounts/sign-in/", {"username": "owner", "password": typed})
    refused = Caller(berth.url(""), f"berth_{typed}").get("/api/v1/me")
    assert refused.status == 401
    pems = {"authority": far.authority.pem, "client_certificate": far.client.pem, "client_key": far.client.key_pem}
    connected = caller.post("/api/v1/clusters", {"name": "far", "kind": "swarm", "address": far.address} | pems)
    assert connected.status == 201, connected.body
    assert caller.ended(caller.deploy("canary", spec=spec(environment={"PASSWORD": "shown"})))["state"] == "succeeded"
    environment = berth.environment
    return Canaries(
        {
            "password": berth.password,
            "password mistyped": typed,
            "token": berth.token,
            "session": reader.cookies["berth_session"],
            "key of the application": environment["SECRET_KEY"],
            "key of columns": environment["FIELD_KEYS"],
            "key of a cluster": far.client.key_pem.splitlines()[1],
            "password of Redis": berth.redis.password,
            "password of PostgreSQL": environment["DATABASE_URL"].split(":")[2].split("@")[0],
        }
    )


def test_not_in_the_database(berth: Installation, canaries: Canaries) -> None:
    url = berth.environment["DATABASE_URL"]
    asked = [program("pg_dump"), f"--exclude-table-data={SESSIONS}", url]
    dump = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert "canary" in dump, "the dump has no rows"
    assert canaries.in_("the database", dump) == []


def test_not_in_pages_and_answers(canaries: Canaries, caller: Caller, reader: Caller) -> None:
    """Every address there is, by its program and by its reader."""
    sung: list[str] = []
    for route in routes():
        address = addresses.filled(route, lambda kind, name: KNOWN.get(name, addresses.OF_KIND[kind]))
        if address.endswith("/logs"):
            continue  # read below; following it has no end
        for client in (caller, reader):
            sung += sing(canaries, address, client.get(address))
    place = f"{SHOP}/apps/canary/environments/dev"
    sung += sing(canaries, "the log", caller.get(f"{place}/logs"))
    assert sung == []


def sing(canaries: Canaries, where: str, answer: Answer) -> list[str]:
    headers = json.dumps({name: text for name, text in answer.headers.items() if name != "set-cookie"})
    return canaries.in_(where, answer.body) + canaries.in_(f"headers of {where}", headers)


def test_not_in_refusals(canaries: Canaries, berth: Installation, caller: Caller, reader: Caller) -> None:
    """Secrets sent where they do not belong are not repeated."""
    bad: Any = {"name": "Bad Name", "kind": "swarm", "client_key": canaries["key of a cluster"], "address": "nonsense"}
    answers = {
        "a bad cluster": caller.post("/api/v1/clusters", bad),
        "a taken cluster": caller.post("/api/v1/clusters", bad | {"name": "far", "address": "tcp://127.0.0.1:9"}),
        "broken JSON": caller.post("/api/v1/clusters", json.dumps(bad).encode()[:-9], Content_Type="application/json"),
        "a wrong password": Caller(berth.url("")).submit(
            "/accounts/sign-in/", {"username": "nobody", "password": canaries["password"]}
        ),
        "a missing page": reader.get("/t/demo/p/nowhere/"),
    }
    assert all(answer.status >= 400 or name == "a wrong password" for name, answer in answers.items())
    assert [one for name, answer in answers.items() for one in sing(canaries, name, answer)] == []


def test_not_in_messages(canaries: Canaries, berth: Installation, caller: Caller) -> None:
    """With the worker away the messages stay where they can be read: an id, and nothing else."""
    berth.processes["worker"].end(grace_seconds=30)
    broker = redis.Redis.from_url(berth.redis.url)
    operation = caller.post(f"{SHOP}/apps/canary/environments/dev/restart", {}).json
    until(lambda: messages(broker), seconds=30)
    for message in messages(broker):
        arguments, named, _more = json.loads(base64.b64decode(message["body"]))
        assert (message["content-type"], named) == ("application/json", {})
        assert arguments in ([operation["id"]], []) or len(arguments[0]) == len(operation["id"])
    everything = b"".join(broker.dump(name) or b"" for name in broker.scan_iter())
    assert canaries.in_("Redis", everything) == []
    berth.start("worker")
    assert caller.ended(operation)["state"] == "succeeded"


def messages(broker: Any) -> list[dict[str, Any]]:
    return [json.loads(one) for one in broker.lrange("berth:celery", 0, -1)]


def test_not_in_the_words_processes_were_started_with(canaries: Canaries, berth: Installation) -> None:
    for name, mark in berth.processes.items():
        assert canaries.in_(name, Path(f"/proc/{mark.pid}/cmdline").read_bytes()) == []


def test_not_while_the_database_is_away(
    canaries: Canaries, berth: Installation, caller: Caller, reader: Caller
) -> None:
    """Error pages and what is logged with them; afterwards all goes on without a restart."""
    url = berth.environment["DATABASE_URL"]
    password, _at, rest = url.split(":", 2)[2].partition("@")
    postgres = PrivatePostgres(berth.folder / "postgres", int(rest.split(":")[1].split("/")[0]), password)
    postgres.stop()
    try:
        answers = [client.get(path) for client in (caller, reader) for path in ("/", "/api/v1/me", "/readyz")]
    finally:
        postgres.start()
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {302, 500, 503}, "302: the door, which needs no row"
    assert len(set(statuses) - {302}) > 0
    assert [one for answer in answers for one in sing(canaries, "an error page", answer)] == []
    until(lambda: caller.get("/api/v1/me").status == 200, seconds=30)


def test_not_in_logs(canaries: Canaries, berth: Installation) -> None:
    """The last of these tests: everything above has been logged by now."""
    written = {path.name: path.read_text() for path in berth.folder.glob("*.log") if "postgres" not in path.name}
    assert set(written) >= {"web.log", "worker.log", "beat.log", "observer.log"}
    assert "Traceback" in written["web.log"], "the fault above was not logged"
    assert [one for name, text in written.items() for one in canaries.in_(name, text)] == []
