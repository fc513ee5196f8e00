"""Redis away, or emptied: rows are the truth, so what was accepted is done, each once."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from psycopg import Connection

from launcher.engine_api import EngineClient
from tests.e2e.portal import until
from tests.engine import LiveEngine
from tests.faults.caller import SHOP, Answer, Caller, spec
from tests.faults.leftovers import services_on
from tests.faults.many.rows import ends, engine_names
from tests.installation import Installation

pytestmark = pytest.mark.live
BURST = [f"burst{number:02}" for number in range(10)]


def first_deployment(caller: Caller, app: str) -> Answer:
    return caller.post(f"{SHOP}/apps", {"name": app, "environment": "dev", "spec": spec()})


def all_done_once(caller: Caller, database: Connection, engine: LiveEngine, accepted: dict[str, Answer]) -> None:
    client = EngineClient(engine.url)
    assert {app: answer.status for app, answer in accepted.items()} == dict.fromkeys(accepted, 202)
    for app, answer in accepted.items():
        operation = answer.json
        assert caller.ended(operation)["state"] == "succeeded", app
        assert ends(database, operation["id"]) == ["done"]
        assert len([one for name in engine_names(database, app=app) for one in services_on(client, name)]) == 1


def test_without_a_broker_everything_is_accepted_and_done_later(
    berth: Installation, caller: Caller, database: Connection, engine: LiveEngine
) -> None:
    """All answers come while there is no broker: nobody waits for it."""
    caller.read("/api/v1/me")
    berth.redis.kill()
    try:
        accepted = {app: first_deployment(caller, app) for app in BURST}
        addresses = [f"/api/v1/operations/{answer.json['id']}" for answer in accepted.values()]
        assert {caller.read(address)["state"] for address in addresses} == {"pending"}
    finally:
        berth.redis.start()
    all_done_once(caller, database, engine, accepted)


def test_a_broker_that_forgets_everything_loses_nothing(
    berth: Installation, caller: Caller, database: Connection, engine: LiveEngine
) -> None:
    """It is emptied again and again while the burst comes in and is worked on."""
    broker = redis.Redis.from_url(berth.redis.url)
    accepted = {}
    for app in BURST:
        if app in BURST[3::3]:
            broker.flushall()
        accepted[app] = caller.post(f"{SHOP}/apps/{app}/deployments", {"environment": "dev", "image": "berth/hello:2"})
    broker.flushall()
    until(lambda: caller.read(f"/api/v1/operations/{accepted[BURST[0]].json['id']}")["started_at"], seconds=60)
    broker.flushall()
    all_done_once(caller, database, engine, accepted)


def test_messages_that_come_many_times_at_once_do_it_once(
    berth: Installation, caller: Caller, database: Connection, engine: LiveEngine
) -> None:
    operation = first_deployment(caller, f"often{uuid.uuid4().hex[:6]}")
    command = "from operations.wakeup import wake; [wake('{}') for _ in range(10)]"
    berth.manage("shell", "-c", command.format(operation.json["id"]))
    assert caller.ended(operation.json)["state"] == "succeeded"
    assert ends(database, operation.json["id"]) == ["done"]


def test_twenty_equal_requests_at_once_are_one(berth: Installation, caller: Caller, database: Connection) -> None:
    """Two web processes, one PostgreSQL: the unique key decides, and all get the same answer."""
    app, key = f"once{uuid.uuid4().hex[:6]}", uuid.uuid4().hex
    body = {"name": app, "environment": "dev", "spec": spec()}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _n: caller.post(f"{SHOP}/apps", body, Idempotency_Key=key), range(20)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.body for answer in answers}) == 1
    asked = "SELECT count(*) FROM apps_deployment d JOIN apps_app a ON a.id = d.app_id WHERE a.name = %s"
    assert database.execute(asked, [app]).fetchone() == (1,)
    other = caller.post(f"{SHOP}/apps", body | {"name": f"{app}b"}, Idempotency_Key=key)
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert caller.ended(answers[0].json)["state"] == "succeeded"
