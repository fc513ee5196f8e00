"""The page of one host: how it is, whose instances are there, and taking it out and in again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.models import AppEnvironment
from apps.observing import observe
from backends.fake import FakeDriver
from backends.models import Host
from operations import tasks
from operations.models import Operation
from tests.conftest import Cast, Wakeups

Browse = Callable[[str], Client]
Send = Callable[..., Any]


@pytest.fixture
def address(cast: Cast, running: AppEnvironment, driver: FakeDriver) -> str:
    driver.add_host("host-2")
    observe(cast.cluster)
    Host.objects.filter(engine_id="host-1").update(labels={"zone": "north"})
    return f"/clusters/local/hosts/{Host.objects.get(engine_id='host-1').pk}/"


@pytest.fixture
def send(browse: Browse, address: str, django_capture_on_commit_callbacks: Any) -> Send:
    def post(deed: str, **body: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return browse("operator").post(f"{address}{deed}/", body, follow=True)

    return post


def read(browse: Browse, address: str) -> str:
    return browse("operator").get(address).content.decode()


def test_it_says_how_the_host_is_and_whose_instances_are_there(browse: Browse, address: str) -> None:
    page = read(browse, address)
    for part in ("3 instances", "zone", "north", "hello", "acme", "linux/amd64", "Nothing new is started there."):
        assert part in page
    assert address in browse("operator").get("/clusters/").content.decode()


def test_only_operators_may_look_and_act(browse: Browse, address: str) -> None:
    for name in ("owner", "developer", "auditor", "outsider"):
        client = browse(name)
        assert client.get(address).status_code == 403
        assert client.post(f"{address}drain/").status_code == 404
        assert client.post(f"{address}cancel/").status_code == 404
    assert browse("operator").get(f"/clusters/other{address.removeprefix('/clusters/local')}").status_code == 404
    assert not Operation.objects.filter(kind__startswith="host.").exists()


def test_the_question_says_whom_it_moves(browse: Browse, address: str) -> None:
    page = read(browse, f"{address}?ask=drain")
    assert '<dialog class="dialog" id="drain" aria-labelledby="drain-title" open>' in page
    for part in ("3 instances move to other hosts.", "1 tenant has instances there", "of 1 project"):
        assert part in page
    assert "Others of their services stay as they are." in page


def test_emptied_with_progress_and_called_off(
    browse: Browse, address: str, send: Send, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    page = send("drain", reason="a new disk").content.decode()
    assert "Empty the host" in page
    begun = Operation.objects.get(kind="host.drain.run")
    assert begun.params["reason"] == "a new disk"
    for _look in range(2):
        Operation.objects.filter(pk=begun.pk).update(not_before=None)
        tasks.run_operation(str(begun.pk))
    page = read(browse, address)
    assert "1 of 3 instances moved" in page
    assert "being emptied" in page
    assert "being emptied" in browse("operator").get("/clusters/").content.decode()
    assert "It is being called off." in send("cancel").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    page = read(browse, address)
    assert "Empty the host: cancelled" in page
    assert "Cancelled by operator" in page


def test_what_holds_it_is_said_with_the_next_step(
    browse: Browse, address: str, send: Send, driver: FakeDriver, running: AppEnvironment
) -> None:
    (ref,) = driver.services(running.engine_name)
    driver.budgets.add(ref.engine_name)
    send("drain")
    begun = Operation.objects.get(kind="host.drain.run")
    for _look in range(2):
        Operation.objects.filter(pk=begun.pk).update(not_before=None)
        tasks.run_operation(str(begun.pk))
    page = read(browse, address)
    assert "acme / shop, hello dev: web stays where it is: too few of its instances would be left to serve." in page
    assert "It goes on by itself once its other instances are ready." in page


def test_closed_and_opened(
    browse: Browse, address: str, send: Send, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    def work() -> str:
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()
        return read(browse, address)

    send("cordon")
    page = work()
    assert "takes nothing new" in page
    assert "Open again" in page
    send("uncordon")
    assert "Nothing new is started there." in work()


def test_nothing_to_call_off_is_not_found(send: Send) -> None:
    assert send("cancel").status_code == 404


def test_a_host_that_does_not_answer_cannot_be_emptied(browse: Browse, address: str, send: Send) -> None:
    Host.objects.filter(engine_id="host-1").update(ready=False)
    assert "nothing can be moved off it" in read(browse, address)
    assert send("drain").status_code == 409
    assert not Operation.objects.filter(kind="host.drain.run").exists()
