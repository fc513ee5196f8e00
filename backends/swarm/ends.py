"""Why an instance ended: a manager knows no more than an exit code; the host's own engine knows the rest."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backends.contract import InstanceState, Reason, ReasonCode
from backends.swarm.client import EngineClient
from backends.swarm.errors import RefusedError
from backends.swarm.observe import Run

Raw = Mapping[str, Any]

_LOOKS = 3  # containers asked about in one go
_REMEMBERED = 2000
_RETRIES = 3  # the engine's own where a check names no number


class Ends:
    """Remembers what it learnt: a container that has ended does not change any more."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._known: OrderedDict[str, ReasonCode | None] = OrderedDict()

    def explain(self, found: Sequence[Run]) -> list[Run]:
        """With better reasons than a bare exit code. What is learnt of one instance is taken to hold for those of
        the same attempt that ended with the same code: their containers may be gone, or on another host."""
        bare = [run for run in found if _bare(run) and run.container]
        bare.sort(key=lambda run: run.instance.changed_at.timestamp() if run.instance.changed_at else 0.0, reverse=True)
        learnt: dict[tuple[str, int | None], ReasonCode] = {}
        for run in bare[:_LOOKS]:
            code = self._code(run.container or "")
            if code is not None:
                learnt.setdefault((run.attempt, run.instance.exit_code), code)
        return [_better(run, learnt) for run in found] if learnt else list(found)

    def _code(self, container: str) -> ReasonCode | None:
        if container in self._known:
            return self._known[container]
        try:
            told: Raw = self._client.get(f"/containers/{container}/json")
        except RefusedError as error:
            if error.status == 404:  # gone, or on another host
                return None
            raise
        if not told["State"].get("Running"):
            self._known[container] = _read(told)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return _read(told)


def _bare(run: Run) -> bool:
    reason = run.instance.reason
    return run.own_end and reason is not None and reason.code == ReasonCode.EXITED


def _read(container: Raw) -> ReasonCode | None:
    """`Health.Status` does not tell: the engine sets it to unhealthy for whatever has stopped."""
    state: Raw = container["State"]
    if state.get("OOMKilled"):
        return ReasonCode.OUT_OF_MEMORY
    check: Raw = container.get("Config", {}).get("Healthcheck") or {}
    streak = (state.get("Health") or {}).get("FailingStreak", 0)
    return ReasonCode.UNHEALTHY if streak >= (check.get("Retries") or _RETRIES) else None


def _better(run: Run, learnt: Mapping[tuple[str, int | None], ReasonCode]) -> Run:
    code = learnt.get((run.attempt, run.instance.exit_code)) if _bare(run) else None
    if code is None:
        return run
    reason = Reason(code, {"service": run.instance.ref.service})
    return replace(run, instance=replace(run.instance, state=InstanceState.FAILED, reason=reason))
