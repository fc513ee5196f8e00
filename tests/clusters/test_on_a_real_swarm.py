"""A real engine behind TLS is connected, told apart from one that is not meant, and removed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from backends import registry
from backends.models import Cluster
from backends.registry import driver_for
from backends.swarm.driver import SwarmDriver
from tests.backends.guarded import Guarded, guarded
from tests.backends.world import new_world
from tests.certificates import Pair, signed
from tests.conftest import Cast
from tests.engine import LiveEngine

__all__ = ["guarded"]

pytestmark = [pytest.mark.live, pytest.mark.django_db]
Api = Callable[[str], APIClient]
CLUSTERS = "/api/v1/clusters"


def parts(guarded: Guarded, by: Pair | None = None, authority: Pair | None = None) -> dict[str, str]:
    client = by or guarded.client
    pems = {"client_certificate": client.pem, "client_key": client.key_pem}
    return {"address": guarded.address, "authority": (authority or guarded.authority).pem} | pems


def codes(answer: Any) -> list[str]:
    return [one["code"] for one in answer.json()["findings"]]


def test_connected_over_the_api_and_removed(cast: Cast, guarded: Guarded, engine: LiveEngine, api: Api) -> None:
    client, body = api("operator"), {"name": "south", "kind": "swarm"} | parts(guarded)
    told = client.post(f"{CLUSTERS}?dry_run=true", body, format="json").json()
    assert (told["ready"], told["hosts_ready"]) == (True, 1)
    assert told["engine_version"]
    assert client.post(CLUSTERS, body, format="json").status_code == 201
    row = Cluster.objects.get(name="south")
    assert driver_for(row).health().ready
    world = new_world(SwarmDriver(engine.url))
    try:
        spec = world.saying("sleep 100000", instances=1)
        world.run(spec)
        refused = client.delete(f"{CLUSTERS}/south", {"typed_name": "south"}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert f"{spec.ref.environment}/{spec.ref.engine_name}" in refused.json()["services"]
    finally:
        world.clear()
    assert client.delete(f"{CLUSTERS}/south", {"typed_name": "south"}, format="json").status_code == 204


def test_who_is_not_meant_is_told(cast: Cast, guarded: Guarded, api: Api) -> None:
    client, other = api("operator"), signed("another authority")

    def refused(**asked: str) -> list[str]:
        answer = client.post(CLUSTERS, {"name": "south", "kind": "swarm"} | asked, format="json")
        assert answer.status_code == 409, answer.content
        return codes(answer)

    assert refused(**parts(guarded, authority=other)) == ["cluster_untrusted"]
    (told,) = refused(**parts(guarded, by=signed("stranger", by=other)))
    assert told in {"wants_certificate", "cluster_away"}  # some engines only hang up
    assert refused(address="tcp://127.0.0.1:1") == ["cluster_away"]
    assert not Cluster.objects.filter(name="south").exists()


def test_connected_in_the_page_and_given_another_certificate(
    cast: Cast, guarded: Guarded, browse: Callable[[str], Client], api: Api
) -> None:
    client, given = browse("operator"), parts(guarded)
    address = given.pop("address")
    files = {name: SimpleUploadedFile(f"{name}.pem", text.encode()) for name, text in given.items()}
    step = {"name": "south", "address": address, "go": "save"}
    assert client.post("/connect/by/swarm/", step | files).status_code == 302
    fresh = signed("portal again", by=guarded.authority)
    changed = api("operator").patch(
        f"{CLUSTERS}/south", {"client_certificate": fresh.pem, "client_key": fresh.key_pem}, format="json"
    )
    assert changed.status_code == 200, changed.content
    row = Cluster.objects.get(name="south")
    assert row.client_certificate == fresh.pem.strip()
    assert registry.driver_for(row).health().ready


def test_connected_by_the_command(cast: Cast, guarded: Guarded, tmp_path: Path) -> None:
    given = parts(guarded)
    names = {"ca.pem": "authority", "cert.pem": "client_certificate", "key.pem": "client_key"}
    with pytest.raises(CommandError, match=r"has to hold ca\.pem"):
        call_command("add_cluster", "south", "--docker", guarded.address, "--tls", str(tmp_path))
    for file, name in names.items():
        (tmp_path / file).write_text(given[name])
    call_command("add_cluster", "south", "--docker", guarded.address, "--tls", str(tmp_path))
    assert driver_for(Cluster.objects.get(name="south")).health().ready
    with pytest.raises(CommandError, match="does not answer"):
        call_command("add_cluster", "north", "--docker", "tcp://127.0.0.1:1")
