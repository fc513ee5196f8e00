"""Operations whose steps take minutes: their messages are their own, and nobody who deploys waits behind them."""

import pytest

from core.access import SYSTEM
from core.clock import from_now
from images.models import Artifact, Repository
from images.scanning.ordering import enqueue_scan
from operations import tasks, turns
from operations.leasing import MOST_RENEWALS, MOST_RENEWALS_OF_LONG
from operations.models import Operation
from operations.services import LEASE
from tests.conftest import Cast, Wakeups

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture
def long(cast: Cast) -> Operation:
    home = Repository.objects.create(tenant=cast.acme, project=cast.shop, name="x/acme/shop/web", path="acme/shop/web")
    artifact = Artifact.objects.create(repository=home, digest="sha256:1", pinned="x")
    return enqueue_scan(SYSTEM, artifact)


def test_a_turn_of_the_others_is_never_one_of_theirs(long: Operation) -> None:
    assert turns.take_turn("01a204e4-9578-7431-9196-2e1e8cf62ee3") is None
    taken = turns.take_turn("01a204e4-9578-7431-9196-2e1e8cf62ee3", long=True)
    assert taken is not None
    assert taken.pk == long.pk


def test_the_sweep_sends_each_its_own_message(
    long: Operation, wakeups: Wakeups, monkeypatch: pytest.MonkeyPatch
) -> None:
    Operation.objects.update(created_at=from_now(-LEASE))
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(
        "operations.wakeup.current_app.send_task", lambda name, args, **_more: sent.append((name, args[0]))
    )
    tasks.sweep()
    assert sent == [("operations.run_long", str(long.pk))]


def test_what_may_take_long_may_take_as_long_as_its_message() -> None:
    assert tasks.run_long_operation.time_limit == tasks.LONG_STEP_SECONDS
    assert MOST_RENEWALS_OF_LONG * 15 >= tasks.LONG_STEP_SECONDS > MOST_RENEWALS * 15
