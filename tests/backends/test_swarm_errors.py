"""What the engine says, and what we make of it. The texts are those of real engines."""

import pytest

from backends.contract import DriverError, ReasonCode
from backends.failing import SAID_LIMIT, slow
from backends.swarm.errors import image_refused, refused, task_reason

R = ReasonCode


@pytest.mark.parametrize(
    ("status", "said", "code", "permanent"),
    [
        (500, "rpc error: code = Unknown desc = update out of sequence", R.CONFLICT, False),
        (503, "This node is not a swarm manager. Use docker swarm init", R.NOT_A_MANAGER, True),
        (503, "rpc error: The swarm does not have a leader.", R.ENGINE_AWAY, False),
        (500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded", R.ENGINE_SLOW, False),
        (409, "rpc error: code = AlreadyExists desc = name conflicts with an existing object", R.CONFLICT, False),
        (400, "rpc error: code = InvalidArgument desc = invalid memory value", R.ENGINE_REFUSED, True),
        (500, "something broke", R.ENGINE_REFUSED, False),
    ],
)
def test_refusals(status: int, said: str, code: ReasonCode, permanent: bool) -> None:
    error = refused(status, said)
    assert (error.reason.code, error.permanent, error.status) == (code, permanent, status)
    assert error.reason.params["said"] == said


def test_long_and_ragged_texts_are_shortened() -> None:
    said = refused(400, "a\n\tb " + "x" * 2000).reason.params["said"]
    assert said.startswith("a b x")
    assert len(said) == SAID_LIMIT


@pytest.mark.parametrize(
    ("status", "said", "code", "permanent"),
    [
        (404, "manifest unknown: manifest unknown", R.IMAGE_NOT_FOUND, True),
        (403, "errors: denied: requested access to the resource is denied", R.IMAGE_DENIED, True),
        (401, "unauthorized: authentication required", R.IMAGE_DENIED, True),
        (400, "invalid reference format", R.BAD_IMAGE, True),
        (500, "Get https://r.example/v2/: dial tcp: lookup r.example: no such host not found", R.REGISTRY_AWAY, False),
        (500, "Get https://r.example/v2/: connection refused", R.REGISTRY_AWAY, False),
    ],
)
def test_what_registries_say(status: int, said: str, code: ReasonCode, permanent: bool) -> None:
    error = image_refused(refused(status, said), image="shop/web:1")
    assert (error.reason.code, error.permanent) == (code, permanent)
    assert error.reason.params["image"] == "shop/web:1"


def test_a_registry_that_keeps_the_engine_waiting_is_away_and_an_engine_that_is_away_stays_so() -> None:
    assert image_refused(slow(), image="x").reason.code == R.REGISTRY_AWAY
    away = DriverError(slow().reason.__class__(R.ENGINE_AWAY))
    assert image_refused(away, image="x") is away


@pytest.mark.parametrize(
    ("said", "exit_code", "code", "params"),
    [
        ("No such image: shop/web@sha256:0", None, R.IMAGE_NOT_FOUND, {"image": "shop/web:1"}),
        ("task: non-zero exit (1)", 1, R.EXITED, {"exit_code": 1}),
        ("task: non-zero exit (143): dockerexec: unhealthy container", 143, R.UNHEALTHY, {}),
        (
            'starting container failed: OCI runtime create failed: exec: "/nope": no such file or directory',
            None, R.COMMAND_NOT_FOUND, {"command": "/nope"},
        ),
        ('exec: "nope": executable file not found in $PATH', None, R.COMMAND_NOT_FOUND, {"command": "nope"}),
        ("standard_init_linux.go:228: exec user process caused: exec format error", 1, R.BAD_IMAGE, {}),
        ("driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", None, R.PORT_TAKEN, {}),
        ("assigned node no longer meets constraints", None, R.NO_SUITABLE_HOST, {}),
        ("words nobody knows", None, R.UNKNOWN, {"said": "words nobody knows"}),
    ],
)  # fmt: skip
def test_why_an_instance_failed(said: str, exit_code: int | None, code: ReasonCode, params: dict[str, object]) -> None:
    reason = task_reason(said, exit_code=exit_code, service="web", image="shop/web:1", waiting=False)
    assert reason is not None
    assert reason.code == code
    assert params.items() <= reason.params.items()
    assert reason.params["service"] == "web"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("no suitable node (insufficient resources on 3 nodes)", R.NO_CAPACITY),
        ("no suitable node (max replicas per node limit exceed)", R.NO_SUITABLE_HOST),
        ("no suitable node (scheduling constraints not satisfied on 1 node)", R.NO_SUITABLE_HOST),
        ("no suitable node (host-mode port already in use on 1 node)", R.PORT_TAKEN),
        ("no suitable node (unsupported platform on 1 node)", R.BAD_IMAGE),
        ("no suitable node (1 node not available for new tasks)", R.NO_SUITABLE_HOST),
    ],
)
def test_why_an_instance_waits(said: str, code: ReasonCode) -> None:
    reason = task_reason(said, exit_code=None, service="web", image="i", waiting=True)
    assert reason is not None
    assert reason.code == code


def test_waiting_without_a_word_is_no_fault() -> None:
    assert task_reason("", exit_code=None, service="web", image="i", waiting=True) is None


@pytest.mark.parametrize(
    ("command", "code"), [("/app/start", R.COMMAND_NOT_FOUND), ("/bin/sh", R.EXITED), ("", R.EXITED)]
)
def test_exit_code_127_blames_the_command_unless_it_is_a_shell(command: str, code: ReasonCode) -> None:
    reason = task_reason(
        "task: non-zero exit (127)", exit_code=127, service="web", image="i", waiting=False, command=command
    )
    assert reason is not None
    assert reason.code == code
