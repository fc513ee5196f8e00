"""Somebody who may write to Redis can wake workers, and nothing more."""

import base64
import json
import os
import pickle
import uuid
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.e2e.portal import until
from tests.faults.caller import Caller, spec
from tests.installation import Installation

pytestmark = pytest.mark.live
QUEUE = "berth:celery"


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.file),)


def message(task: str, body: bytes, *, kind: str = "application/json") -> str:
    """An envelope as Celery's own, around any body."""
    id_ = str(uuid.uuid4())
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "binary",
            "content-type": kind,
            "headers": {"lang": "py", "task": task, "id": id_, "root_id": id_, "argsrepr": "", "kwargsrepr": "{}"},
            "properties": {
                "correlation_id": id_,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": "celery"},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": id_,
            },
        }
    )


def test_forged_messages_do_nothing_and_stop_nobody(berth: Installation, caller: Caller, tmp_path: Path) -> None:
    broker, bomb = redis.Redis.from_url(berth.redis.url), tmp_path / "exploded"
    shout = json.dumps([["touch", str(bomb)], {}, {}]).encode()
    forged = [
        message("operations.run", pickle.dumps([(Bomb(bomb),), {}, {}]), kind="application/x-python-serialize"),
        message("os.system", shout),
        message("subprocess.run", shout),
        message("operations.run", json.dumps([["'; DROP TABLE audit_auditentry; --"], {}, {}]).encode()),
        message("operations.run", json.dumps([[str(uuid.uuid4())], {}, {}]).encode()),
        message("operations.run", b"not even JSON"),
        message("operations.run", json.dumps([[], {"spec": {"privileged": True}}, {}]).encode()),
    ]
    broker.lpush(QUEUE, *forged)
    until(lambda: broker.llen(QUEUE) == 0, seconds=60, said=lambda: berth.said("worker"))
    assert caller.ended(caller.deploy("afterforged", spec=spec()))["state"] == "succeeded"
    assert not bomb.exists()
    log = (berth.folder / "worker.log").read_text()
    assert "ContentDisallowed" in log or "Refusing to deserialize" in log
    assert "os.system" in log  # received, unregistered, discarded
