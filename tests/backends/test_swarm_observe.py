"""Reading tasks and hosts."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backends.contract import InstanceState, InstanceStatus, ReasonCode, Resources
from backends.swarm.observe import host_list, host_table, moment, ref_of, runs
from tests.backends.raw import REF, failed, node, spec, task

HOSTS = host_table([node()])


def read(raw: dict[str, object]) -> InstanceStatus:
    (run,) = runs([raw], hosts=HOSTS)
    return run.instance


@pytest.mark.parametrize(
    ("state", "desired", "expected"),
    [
        ("new", "running", InstanceState.WAITING),
        ("pending", "running", InstanceState.WAITING),
        ("preparing", "running", InstanceState.PREPARING),
        ("ready", "ready", InstanceState.PREPARING),
        ("starting", "running", InstanceState.STARTING),
        ("running", "running", InstanceState.RUNNING),
        ("running", "shutdown", InstanceState.STOPPING),
        ("running", "remove", InstanceState.STOPPING),
        ("shutdown", "shutdown", InstanceState.ENDED),
        ("complete", "shutdown", InstanceState.FAILED),  # of a service that is meant to run on
        ("failed", "shutdown", InstanceState.FAILED),
        ("rejected", "shutdown", InstanceState.FAILED),
        ("orphaned", "shutdown", InstanceState.FAILED),
        ("a state of a later engine", "running", InstanceState.WAITING),
    ],
)
def test_states(state: str, desired: str, expected: InstanceState) -> None:
    seen = read(task(spec(), state=state, desired=desired))
    assert seen.state == expected
    assert seen.wanted == (desired in {"running", "ready"})


def test_an_instance_is_read_whole() -> None:
    seen = read(task(spec(), 2))
    assert (seen.ref, seen.number, seen.revision, seen.host) == (REF, 2, spec().revision, "n1")
    assert seen.started_at == datetime(2026, 1, 2, 11, 59, 30, 123456, tzinfo=UTC)
    assert seen.addresses == ((8080, "10.0.0.1:32770"),)
    assert (seen.exit_code, seen.reason) == (None, None)


def test_an_exit_code_is_kept_and_named() -> None:
    seen = read(failed(spec(), code=3))
    assert seen.exit_code == 3
    assert seen.reason is not None
    assert (seen.reason.code, seen.reason.params) == (ReasonCode.EXITED, {"service": "web", "exit_code": 3})


def test_a_job_may_end_in_good_order() -> None:
    raw = task(spec(), state="complete", desired="shutdown")
    raw["Spec"]["RestartPolicy"] = {"Condition": "on-failure"}
    assert read(raw).state == InstanceState.ENDED


def test_what_never_ran_has_no_exit_code() -> None:
    seen = read(task(spec(), state="rejected", desired="shutdown", err="No such image: shop/web@1"))
    assert seen.exit_code is None
    assert seen.reason is not None
    assert seen.reason.params["image"] == "shop/web:1"


def test_instances_of_a_lost_host_are_not_called_running() -> None:
    (run,) = runs([task(spec())], hosts=host_table([node(state="down")]))
    assert run.instance.state == InstanceState.FAILED
    assert run.instance.reason is not None
    assert (run.instance.reason.code, run.instance.reason.params) == (ReasonCode.HOST_LOST, {"host": "host-n1"})


def test_order_is_by_number_and_newest_first() -> None:
    tasks = [task(spec(), 2, ago=5), failed(spec(), 1, ago=50), task(spec(), 1, ago=3), failed(spec(), 1, ago=9)]
    found = runs(tasks, hosts=HOSTS)
    assert [(run.instance.number, run.instance.id) for run in found] == [
        (1, "t1-running-3"),
        (1, "t1-failed-9"),
        (1, "t1-failed-50"),
        (2, "t2-running-5"),
    ]


def test_tasks_that_are_not_ours_are_left_out() -> None:
    foreign = task(spec())
    foreign["Spec"]["ContainerSpec"]["Labels"] = {"com.example": "x"}
    assert runs([foreign], hosts=HOSTS) == []
    assert ref_of(None) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T05:04:05.25+02:00", datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected


def test_hosts_with_what_is_set_aside_on_them() -> None:
    reserving = replace(spec(), resources=Resources(cpu_reserved=250, memory_reserved=64 << 20))
    foreign = task(reserving, 2)
    foreign["Spec"]["ContainerSpec"]["Labels"] = {}
    over = task(reserving, 3, "shutdown", desired="shutdown")
    (host,) = host_list([node()], [task(reserving), foreign, over], table=HOSTS)
    assert (host.cpu_reserved, host.memory_reserved) == (500, 128 << 20)
    assert (host.cpu_millicores, host.memory_bytes, host.platform) == (4000, 8 << 30, "linux/amd64")
    assert (host.name, host.ready, host.schedulable, host.manager) == ("host-n1", True, True, True)
    assert host.labels == {"zone": "north"}


def test_where_a_host_is_reached() -> None:
    table = host_table([node("n1"), node("n2", address="0.0.0.0")], local="n1", address="gate.example")  # noqa: S104
    assert (table["n1"].address, table["n2"].address) == ("gate.example", "10.0.0.9")
    six = host_table([node(address="fd00::1")])
    (run,) = runs([task(spec())], hosts=six)
    assert run.instance.addresses == ((8080, "[fd00::1]:32769"),)
