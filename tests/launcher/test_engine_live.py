"""The private engine, for real: what it offers, what it keeps closed, and that it leaves nothing behind."""

import http.client
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from launcher import sample_images
from launcher.cgroups import groups
from launcher.commands import attempt, run
from launcher.engine import OURS, Engine, PrivateEngine
from launcher.engine_api import EngineClient
from launcher.network import own_addresses
from launcher.processes import Mark, until, with_words
from tests.accepting import accepting
from tests.launcher.machine import containers, gone, new_since, public_port, run_service, running, shell, snapshot

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateEngine]:
    """One engine for the tests that do not stop it."""
    made = PrivateEngine(tmp_path_factory.mktemp("shared"))
    made.start()
    sample_images.ensure(made.url)
    yield made
    made.destroy()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[PrivateEngine]:
    """An engine for one test, not started yet."""
    made = PrivateEngine(tmp_path / "state")
    yield made
    made.destroy()


def client_of(engine: PrivateEngine | Engine) -> EngineClient:
    return EngineClient(engine.url, timeout_seconds=30)


def logs_of(client: EngineClient, container: str) -> str:
    return str(client.call("GET", f"/containers/{container}/logs?stdout=1"))


def answers(address: str, port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


def leftovers(engine: PrivateEngine) -> list[Mark]:
    return with_words(OURS, str(engine.config)) + with_words(OURS, f"out-{engine.state.short}")


@contextmanager
def listener(host: str = "0.0.0.0") -> Iterator[int]:  # noqa: S104 -- the point of the test
    """Something on this machine that says “secret” to whoever connects; gives its port."""

    def serve(peer: socket.socket) -> None:
        with suppress(OSError), peer:
            peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nsecret")

    with accepting(socket.create_server((host, 0)), serve) as port:
        yield port


def test_a_whole_life_leaves_nothing_behind(own: PrivateEngine) -> None:
    before = snapshot(own)
    started = own.start()
    assert started.started_now
    client = client_of(started)
    swarm = client.swarm()
    assert (swarm["ControlAvailable"], swarm["NodeAddr"]) == (True, started.address)
    sample_images.ensure(started.url)
    row = run_service(client, "web", image="berth/hello:1")
    connection = http.client.HTTPConnection(started.address, public_port(row), timeout=5)
    connection.request("GET", "/whoami")
    assert connection.getresponse().read().startswith(b"hello 1 ")
    for elsewhere in ("127.0.0.1", *own_addresses()):
        if elsewhere != started.address:
            assert not answers(elsewhere, public_port(row)), elsewhere
    assert groups(own.name)
    own.stop()
    assert gone(client)
    assert new_since(before, own) == {}
    assert not groups(own.name)
    assert leftovers(own) == []


def test_starting_twice_finds_the_first(private: PrivateEngine) -> None:
    again = PrivateEngine(private.state.folder).start()
    assert not again.started_now
    assert again.url == private.url
    seen = private.status()
    assert (seen.running, seen.way_out, seen.address) == (True, True, again.address)


def test_stopping_twice_and_stopping_nothing_are_calm(own: PrivateEngine, tmp_path: Path) -> None:
    own.start()
    own.stop()
    own.stop()
    PrivateEngine(tmp_path / "never").stop()
    assert not own.status().running
    assert not (tmp_path / "never").exists()


def test_services_come_back_after_a_power_cut(own: PrivateEngine) -> None:
    before = snapshot(own)
    first = own.start()
    client = client_of(first)
    sample_images.ensure(first.url)
    lost = run_service(client, "web", image="berth/hello:1")["Id"]
    own.kill()
    assert not own.status().running
    second = own.start()
    assert (second.url, second.address) == (first.url, first.address)
    assert until(lambda: len(running(client, "web")) == 1, seconds=60)
    assert running(client, "web")[0]["Id"] != lost
    own.kill()
    own.stop()
    assert new_since(before, own) == {}
    assert leftovers(own) == []


def test_a_killed_dockerd_takes_its_containers_along(own: PrivateEngine) -> None:
    started = own.start()
    sample_images.ensure(started.url)
    run_service(client_of(started), "web", image="berth/hello:1")
    for mark in with_words({"dockerd"}, str(own.config)):
        mark.kill()
    assert until(lambda: with_words(OURS, str(own.config)) == [], seconds=20)
    assert not own.status().running
    assert own.start().started_now
    assert own.status().way_out


def test_engines_live_side_by_side_and_do_not_meet(private: PrivateEngine, own: PrivateEngine) -> None:
    other = own.start()
    assert other.address != private.address
    sample_images.ensure(other.url)
    port = public_port(run_service(client_of(other), "web", image="berth/hello:2"))
    row = run_service(client_of(private), "visitor", image="berth/hello:1")
    assert answers(other.address, port)
    code, _ = shell(client_of(private), row["Id"], f"timeout 3 wget -q -O - http://{other.address}:{port}/whoami")
    assert code != 0
    own.stop()
    assert private.status().running
    assert len(containers(client_of(private), "visitor")) == 1


def test_a_container_cannot_reach_this_machine(private: PrivateEngine) -> None:
    client = client_of(private)
    row = run_service(client, "prisoner", image="berth/hello:1", published=False)
    with listener() as port:
        pid = private.status().pid
        targets = ["10.0.2.2", *own_addresses()]
        for address in own_addresses():
            assert answers(address, port), "the listener itself must work"
        if pid and (machine := [address for address in own_addresses() if not address.startswith("10.207.")]):
            word = f"/dev/tcp/{machine[0]}/{port}"
            # the way out does reach it: what keeps containers off is the firewall, not a dead link
            run(["nsenter", f"--net=/proc/{pid}/ns/net", "bash", "-c", f"exec 3<>{word}; head -c 6 <&3"])
        for address in targets:
            code, said = shell(client, row["Id"], f"timeout 3 wget -q -O - http://{address}:{port}/")
            assert code != 0, address
            assert "secret" not in said


def test_a_container_cannot_reach_the_engine_itself(private: PrivateEngine) -> None:
    client = client_of(private)
    row = run_service(client, "curious", image="berth/hello:1", published=False)
    gateway = "$(ip route | awk '/^default/ {print $3}')"
    for address in (private.address, gateway):
        code, said = shell(client, row["Id"], f"timeout 3 nc {address} 2377 </dev/null; echo code $?")
        assert code == 0
        assert "code 0" not in said, said


def test_names_are_asked_where_the_way_out_answers(private: PrivateEngine) -> None:
    pid = private.status().pid
    seen = run(["nsenter", f"--net=/proc/{pid}/ns/net", f"--mount=/proc/{pid}/ns/mnt", "cat", "/etc/resolv.conf"])
    assert seen.strip() == "nameserver 10.0.2.3"
    assert Path("/etc/resolv.conf").read_text().strip() != seen.strip()


def test_networks_of_others_stay(own: PrivateEngine) -> None:
    name = f"other-{own.state.short}"
    run(["ip", "netns", "add", name])
    try:
        run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])
        own.start()
        assert attempt(["ip", "-n", name, "link", "show", "dev", "eth0"]).returncode == 0
        own.stop()
        assert attempt(["ip", "-n", name, "link", "show", "dev", "eth0"]).returncode == 0
        assert attempt(["ip", "link", "show", "dev", name]).returncode == 0
    finally:
        run(["ip", "netns", "del", name])


def test_a_folder_with_a_long_path_works(tmp_path: Path) -> None:
    engine = PrivateEngine(tmp_path / ("a-rather-long-name-" * 6) / "state")
    before = snapshot(engine)
    try:
        assert engine.shortcut is not None
        assert client_of(engine.start()).swarm()["ControlAvailable"]
    finally:
        engine.destroy()
    assert new_since(before, engine) == {}


def test_a_taken_subnet_moves_the_engine_and_its_services(own: PrivateEngine) -> None:
    first = own.start()
    sample_images.ensure(first.url)
    run_service(client_of(first), "web", image="berth/hello:1")
    own.stop()
    dummy = f"taken-{own.state.short}"
    run(["ip", "link", "add", dummy, "type", "veth", "peer", "name", f"peer-{own.state.short}"])
    try:
        run(["ip", "addr", "add", f"{first.address}/30", "dev", dummy])
        run(["ip", "link", "set", dummy, "up"])
        second = own.start()
        assert second.address != first.address
        assert client_of(second).swarm()["NodeAddr"] == second.address
        assert until(lambda: len(running(client_of(second), "web")) == 1, seconds=60)
    finally:
        run(["ip", "link", "del", dummy])


def test_sample_images_behave_as_they_are_called(private: PrivateEngine) -> None:
    client = client_of(private)
    assert sample_images.ensure(private.url) == []
    bodies = {}
    for tag in ("1", "2"):
        row = run_service(client, f"page-{tag}", image=f"berth/hello:{tag}")
        connection = http.client.HTTPConnection(private.address, public_port(row), timeout=5)
        connection.request("GET", "/")
        bodies[tag] = connection.getresponse().read().decode()
        assert row["Id"][:12] in bodies[tag]
        # The server writes its line after the answer: the client may be here first.
        assert until(lambda row=row: ": / 200" in logs_of(client, row["Id"]), seconds=10)
        code, _ = shell(client, row["Id"], "id -u | grep -q 65534")
        assert code == 0
    assert "version 1" in bodies["1"]
    assert "version 2" in bodies["2"]


def test_the_crashing_and_the_unhealthy_sample_say_why(private: PrivateEngine) -> None:
    client = client_of(private)
    made = {
        tag: client.call("POST", "/containers/create", body={"Image": f"berth/hello:{tag}"})["Id"]
        for tag in ("crash", "unhealthy")
    }
    for container in made.values():
        client.call("POST", f"/containers/{container}/start")
    waited = client.call("POST", f"/containers/{made['crash']}/wait")
    assert waited["StatusCode"] == 1
    assert until(lambda: "giving up" in logs_of(client, made["crash"]), seconds=10)

    def health() -> str:
        return str(client.call("GET", f"/containers/{made['unhealthy']}/json")["State"]["Health"]["Status"])

    assert until(lambda: health() == "unhealthy", seconds=60)
    assert until(lambda: "cannot reach the database" in logs_of(client, made["unhealthy"]), seconds=10)
    client.call("POST", f"/containers/{made['unhealthy']}/stop?t=5")
    assert client.call("GET", f"/containers/{made['unhealthy']}/json")["State"]["ExitCode"] == 143


def test_another_user_is_told_that_root_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Exception, match="needs root"):
        PrivateEngine(tmp_path).start()
