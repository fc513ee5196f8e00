"""What the API sends, in pieces of any length: refusals, lines of logs, ends of consoles, measurements."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from backends.contract import DriverError, LogLine, ReasonCode
from backends.failing import SAID_LIMIT
from backends.kubernetes.errors import refused
from backends.kubernetes.exec import KubernetesExec, code_of
from backends.kubernetes.images import forget_old, on_hosts, question, read
from backends.kubernetes.logs import Cut
from backends.kubernetes.observe import runs
from backends.kubernetes.places import Place
from backends.kubernetes.source import Lines
from backends.kubernetes.stats import counted
from backends.kubernetes.watch import Reader
from tests.backends.raw_kubernetes import ended, node, pod, running, spec, waiting

LOG = b"2026-01-02T11:00:00.000000001Z one\n2026-01-02T11:00:01.5Z \n2026-01-02T11:00:02.000000003Z caf\xc3\xa9 \xff\n"


def told(reason: str, message: str) -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": message}).encode()


@pytest.mark.parametrize(
    ("status", "body", "code", "permanent"),
    [
        (404, told("NotFound", 'namespaces "e-1" not found'), ReasonCode.ENGINE_REFUSED, True),
        (409, told("Conflict", "the object has been modified"), ReasonCode.CONFLICT, False),
        (403, told("Forbidden", "because it is being terminated"), ReasonCode.CONFLICT, False),
        (422, told("Invalid", "spec.selector: field is immutable"), ReasonCode.ENGINE_REFUSED, True),
        (500, told("", ".imagee: field not declared in schema"), ReasonCode.ENGINE_REFUSED, True),
        (500, told("InternalError", "etcdserver: leader changed"), ReasonCode.ENGINE_REFUSED, False),
        (503, b"upstream connect error", ReasonCode.ENGINE_AWAY, False),
        (504, told("Timeout", "request did not complete"), ReasonCode.ENGINE_SLOW, False),
        (429, told("TooManyRequests", "slow down"), ReasonCode.ENGINE_SLOW, False),
    ],
)
def test_a_refusal_says_whether_to_come_again(status: int, body: bytes, code: ReasonCode, permanent: bool) -> None:
    error = refused(status, body)
    assert (error.reason.code, error.permanent, error.status) == (code, permanent, status)
    assert error.reason.params["said"]


def test_what_is_said_is_short() -> None:
    assert len(refused(400, told("BadRequest", "x" * 9000)).reason.params["said"]) == SAID_LIMIT


def place() -> Place:
    (run,) = runs([pod(spec())], hosts={}, ports={})
    return Place(run, "e-1", run.pod, 0, newest=True)


@pytest.mark.parametrize("size", [1, 7, 33, 1000])
def test_lines_are_whole_however_they_come(size: int) -> None:
    cut = Lines(place())
    pieces = [LOG[start : start + size] for start in range(0, len(LOG), size)]
    lines: list[LogLine] = [line for piece in pieces for line in cut.of(piece)] + cut.rest()
    assert [line.text for line in lines] == [b"one", b"", b"caf\xc3\xa9 \xff"]
    assert lines[0].at_ns % 10**9 == 1
    assert lines[1].at_ns - lines[0].at_ns == 1_499_999_999


@pytest.mark.parametrize("size", [1, 7, 33, 1000])
def test_a_download_is_the_text_with_or_without_times(size: int) -> None:
    pieces = [LOG[start : start + size] for start in range(0, len(LOG), size)]
    plain, stamped = (Cut(timestamps=with_, since=None, until=None) for with_ in (False, True))
    assert b"".join([plain.of(piece) for piece in pieces]) + plain.rest() == b"one\n\ncaf\xc3\xa9 \xff\n"
    assert b"".join([stamped.of(piece) for piece in pieces]) + stamped.rest() == LOG


def test_a_download_of_a_time_leaves_out_what_is_before_and_after() -> None:
    second = 1767351601 * 10**9
    cut = Cut(timestamps=False, since=second, until=second + 600_000_000)
    assert cut.of(LOG) == b"\n"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"status": "Success"}, 0),
        (
            {
                "status": "Failure",
                "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
            },
            7,
        ),
        ({"status": "Failure", "message": "OCI runtime exec failed", "details": {"causes": [{"message": "x"}]}}, 126),
        ({"status": "Failure"}, 126),
    ],
)
def test_the_end_of_a_console_has_a_code(status: dict[str, Any], code: int) -> None:
    assert code_of(json.dumps(status).encode()) == code


class Said:
    """A socket on which just this comes."""

    def __init__(self, *messages: tuple[int, bytes]) -> None:
        self.messages = list(messages)
        self.sent: list[tuple[int, bytes]] = []

    async def receive(self) -> tuple[int, bytes] | None:
        return self.messages.pop(0) if self.messages else None

    async def send(self, channel: int, data: bytes) -> None:
        self.sent.append((channel, data))


FAILED = json.dumps({"status": "Failure", "message": "OCI runtime exec failed"}).encode()


def console(*messages: tuple[int, bytes]) -> KubernetesExec:
    return KubernetesExec(None, place(), Said(*messages), token="t", tty=True)  # type: ignore[arg-type]  # no wire


async def test_a_console_tells_as_whom_it_runs_and_then_what_its_program_says() -> None:
    session = console((1, b"\x1e65"), (1, b"534\x1e$ "), (1, b"hello"), (3, b'{"status": "Success"}'))
    await session.started(["sh"])
    assert session.user == "65534"
    assert [await session.read(), await session.read(3), await session.read()] == [b"$ ", b"hel", b"lo"]
    assert (await session.read(), await session.exit_code()) == (b"", 0)


@pytest.mark.parametrize(
    ("messages", "code", "params"),
    [
        ([(1, b"\x1emissing\x1e")], ReasonCode.NO_SHELL, {"command": "bash"}),
        ([(3, FAILED)], ReasonCode.NO_SHELL, {"command": "sh"}),
        ([], ReasonCode.ENGINE_AWAY, {"said": "the console ended before it began"}),
    ],
)
async def test_a_console_that_cannot_begin_says_why(
    messages: list[tuple[int, bytes]], code: ReasonCode, params: dict[str, str]
) -> None:
    with pytest.raises(DriverError) as refused:
        await console(*messages).started(["bash"])
    assert (refused.value.reason.code, refused.value.reason.params) == (code, params)


async def test_sizes_and_the_end_of_input_have_channels_of_their_own() -> None:
    session = console()
    await session.resize(columns=120, rows=40)
    await session.end_input()
    assert session._socket.sent == [(4, b'{"Width":120,"Height":40}'), (255, b"\x00")]  # type: ignore[attr-defined]


def test_an_image_on_a_host_is_pinned_by_the_digest_it_has_there() -> None:
    digest = "sha256:" + "a" * 64
    there = node()
    names = [f"docker.io/berth/hello@{digest}", "docker.io/berth/hello:1"]
    there["status"]["images"] = [{"names": ["docker.io/other/hello:1"]}, {"names": names, "sizeBytes": 5}]
    info = on_hosts("berth/hello:1", [there])
    assert info is not None
    assert (info.pinned, info.digest, info.size_bytes) == (f"berth/hello@{digest}", digest, 5)
    assert on_hosts("berth/hello:2", [there]) is None
    assert on_hosts("other/hello:1", [there]) is None  # no digest is known of it, so it could not be pinned


def test_a_fetched_image_tells_its_digest_or_why_not() -> None:
    asked = pod(spec(), state=ended(128, "StartError"))
    asked["status"]["containerStatuses"][0]["imageID"] = "docker.io/shop/web@sha256:" + "b" * 64
    assert read(asked) == ("sha256:" + "b" * 64, None)
    digest, reason = read(pod(spec(), state=waiting("ErrImagePull", "x: 401 Unauthorized")))
    assert digest == ""
    assert reason is not None
    assert (reason.code, reason.params) == (ReasonCode.IMAGE_DENIED, {"image": "shop/web:1"})
    assert read(pod(spec(), state=waiting("ContainerCreating"))) == ("", None)


def test_measurements_are_of_the_very_pod() -> None:
    one = pod(spec(), starts=2)
    summary = {
        "pods": [
            {
                "podRef": {"name": "a-1-web-one", "namespace": "e-1", "uid": "uid-one"},
                "containers": [
                    {
                        "name": "app",
                        "cpu": {"time": "2026-01-02T11:00:00Z", "usageCoreNanoSeconds": 12},
                        "memory": {"workingSetBytes": 34},
                    }
                ],
                "network": {"rxBytes": 5, "txBytes": 6},
            },
            {"podRef": {"name": "a-1-web-one", "namespace": "e-1", "uid": "another"}, "containers": []},
        ]
    }
    (count,) = counted(summary, {"e-1.a-1-web-one": one})
    assert (count.instance, count.cpu_ns, count.memory_bytes) == ("e-1.a-1-web-one.2", 12, 34)
    assert (count.network_in_bytes, count.network_out_bytes) == (5, 6)


def test_only_what_matters_to_people_rings() -> None:
    reader = Reader()

    def rings(kind: str, thing: dict[str, Any], what: str = "MODIFIED") -> bool:
        return reader.notice(kind, {"type": what, "object": thing}) is not None

    starting, there = pod(spec(), ready=False), pod(spec(), state=running())
    assert rings("Pod", starting, "ADDED")
    assert not rings("Pod", starting)
    assert rings("Pod", there)
    assert rings("Pod", there, "DELETED")
    notice = reader.notice("Pod", {"type": "ADDED", "object": pod(spec(), state=ended(9))})
    assert notice is not None
    assert notice.reason is not None
    assert notice.reason.params["exit_code"] == 9
    assert notice.instance == "e-1.a-1-web-one.0"


class Kept:
    """The part of an API server that keeps questions about images."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods = list(pods)

    def items(self, _kind: str, _namespace: str) -> list[dict[str, Any]]:
        return self.pods

    def delete(self, path: str, **_query: Any) -> None:
        self.pods = [one for one in self.pods if one["metadata"]["name"] != path.rpartition("/")[2]]


def test_questions_that_nobody_came_back_for_are_forgotten() -> None:
    old, new = question("shop/old:1"), question("shop/new:1")
    old["metadata"]["creationTimestamp"] = "2026-01-02T11:00:00Z"
    new["metadata"]["creationTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kept = Kept(old, new)
    forget_old(kept)  # type: ignore[arg-type]  # only what it asks of a server
    assert kept.pods == [new]
