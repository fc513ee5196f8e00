"""Why a container ended that the engine itself has ended: its pod tells only a code, the engine's events the rest."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from backends.contract import Reason, ReasonCode
from backends.kubernetes.client import ApiServer
from backends.kubernetes.observe import Run, moment

_LOOKS = 3  # pods asked about in one go
_REMEMBERED = 2000
_TOLD_WITHIN = timedelta(seconds=10)  # events come a moment after what they tell of
_AFTER = timedelta(seconds=2)  # events carry whole seconds
_BEFORE = timedelta(seconds=60)  # between the order to end and the end: the grace period


class Ends:
    """Remembers what it learnt: a start that has ended does not change any more."""

    def __init__(self, client: ApiServer) -> None:
        self._client = client
        self._known: OrderedDict[str, bool] = OrderedDict()

    def explain(self, found: Sequence[Run]) -> list[Run]:
        """With "fails its check" for a bare exit code, where a failed check was the cause."""
        bare = [run for run in found if _bare(run) and run.instance.id not in self._known]
        for run in bare[:_LOOKS]:
            self._learn(run)
        return [_unhealthy(run) if _bare(run) and self._known.get(run.instance.id) else run for run in found]

    def _learn(self, run: Run) -> None:
        asked = f"involvedObject.name={run.pod},reason=Killing"
        events = self._client.items("Event", run.instance.ref.environment, fieldSelector=asked)
        orders = [moment(one.get("lastTimestamp")) for one in events if "probe" in one.get("message", "")]
        ended = run.instance.changed_at
        asked_to = _within(ended, orders)
        if asked_to or ended is None or datetime.now(UTC) - ended > _TOLD_WITHIN:
            self._known[run.instance.id] = asked_to
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _within(ended: datetime | None, orders: Sequence[datetime | None]) -> bool:
    return ended is not None and any(order and ended - _BEFORE <= order <= ended + _AFTER for order in orders)


def _bare(run: Run) -> bool:
    reason = run.instance.reason
    return run.own_end and reason is not None and reason.code == ReasonCode.EXITED


def _unhealthy(run: Run) -> Run:
    reason = Reason(ReasonCode.UNHEALTHY, {"service": run.instance.ref.service})
    return replace(run, instance=replace(run.instance, reason=reason))
