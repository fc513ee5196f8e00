"""What a worker does at a copy or a run of a rule: turn by turn, so that others have theirs and any can go on."""

from typing import Any

from django.db.models import Sum
from django.db.models.functions import Now

from core.errors import PortalError
from images.registry.client import OURSELVES
from images.replication.address import shown
from images.replication.copying import Copying, Stopped, keep
from images.replication.ends import Home
from images.replication.foreign import Foreign
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun
from images.replication.planning import MOST, planned
from images.replication.problems import RemoteAway, RemoteProblem, reason_of
from images.replication.slices import Slice
from images.replication.starting import COPY, RUN
from images.replication.talking import Registry
from operations.changes import announce
from operations.models import Operation
from operations.registry import StepFailed, Wait
from operations.services import begin, fenced

State = ImageCopy.State
COPYING, LOOKING = "copying", "looking"
MOST_TRIES = 6  # in a row
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0
MEGABYTE = 1_000_000
ENDS = {Operation.State.CANCELLED: State.CANCELLED, Operation.State.SUCCEEDED: State.COPIED}


class CopyImage:
    """One image that somebody asked for."""

    def step(self, operation: Operation) -> Wait | None:
        copy = ImageCopy.objects.select_related("registry", "project__tenant").get(pk=operation.params["row"])
        if not operation.step:
            begin(operation, COPYING, "copy_begun", {"image": str(copy), "path": copy.path})
        try:
            return None if _turn(operation, copy, Slice()) else _progress(copy)
        except Stopped:
            return Wait(0.0)
        except RemoteAway as away:
            return _again(operation, copy, away)
        except RemoteProblem as problem:
            keep(operation, copy, reason=reason_of(problem))
            raise StepFailed(problem.code, problem.params) from problem

    def undo(self, operation: Operation) -> Wait | None:
        copy = ImageCopy.objects.select_related("registry", "project__tenant").get(pk=operation.params["row"])
        _give_up(operation, copy)
        return None

    def settled(self, operation: Operation) -> None:
        rows = ImageCopy.objects.filter(operation=operation, state__in=ImageCopy.OPEN)
        rows.update(state=ENDS.get(Operation.State(operation.state), State.FAILED), ended_at=Now())


class Replicate:
    """All that a rule is about, one image after the other. One that fails does not keep the others from it."""

    def step(self, operation: Operation) -> Wait | None:
        run = ReplicationRun.objects.select_related("rule__registry", "rule__project__tenant").get(
            pk=operation.params["row"]
        )
        if not operation.step:
            begin(operation, LOOKING, "replication_begun", {"rule": run.rule.name, "host": _host(run.rule)})
        if not run.looked and (wait := _look(operation, run)):
            return wait
        turn = Slice(limit=run.rule.kilobytes_per_second * 1000 if run.rule.kilobytes_per_second else None)
        while not turn.over:
            copy = _next(operation, run)
            if copy is None:
                _sum_up(run)
                return None
            if wait := _one(operation, copy, turn):
                return wait
        return _so_far(run, turn.rest)

    def undo(self, operation: Operation) -> Wait | None:
        rows = ImageCopy.objects.filter(run=operation.params["row"], state=State.COPYING, upload__isnull=False)
        for copy in rows.select_related("registry", "rule", "project__tenant")[:1]:  # one at a time is under way
            _give_up(operation, copy)
        return None

    def settled(self, operation: Operation) -> None:
        run = ReplicationRun.objects.filter(pk=operation.params["row"]).first()
        if run is None:
            return
        run.copies.filter(state__in=ImageCopy.OPEN).update(state=State.CANCELLED, ended_at=Now())
        copies = run.copies.order_by()
        counts = {state: copies.filter(state=state).count() for state in (*_COUNTED, State.FAILED)}
        sent = copies.aggregate(sent=Sum("sent_bytes"))["sent"] or 0
        ReplicationRun.objects.filter(pk=run.pk).update(
            state=operation.state, ended_at=Now(), copied_bytes=sent, **{str(state): n for state, n in counts.items()}
        )
        announce("project", run.project_id, tenant=run.tenant_id, project=run.project_id)


_COUNTED = (State.COPIED, State.SKIPPED, State.REFUSED)


def _look(operation: Operation, run: ReplicationRun) -> Wait | None:
    """Write down everything that fits, once. A Wait: the other end does not answer just now."""
    tried = operation.events.filter(code="retrying").count()
    try:
        copies, more = planned(run, _there(run.rule.registry))
    except RemoteAway as away:
        if tried >= MOST_TRIES:
            raise StepFailed("copy_unreachable", {"host": _host(run.rule), "times": tried}) from away
        return _waiting(tried + 1)
    except RemoteProblem as problem:
        raise StepFailed(problem.code, problem.params) from problem
    with fenced(operation):
        ImageCopy.objects.bulk_create(copies, batch_size=500)
        ReplicationRun.objects.filter(pk=run.pk).update(looked=True, more=more)
    run.looked = True
    return None


def _next(operation: Operation, run: ReplicationRun) -> ImageCopy | None:
    """The one that is under way, else the oldest that waits; what was pushed meanwhile belongs to this run too."""
    with fenced(operation):
        run.rule.copies.filter(run=None, state__in=ImageCopy.OPEN).update(run=run)
    rows = run.copies.filter(state__in=ImageCopy.OPEN).select_related("registry", "rule", "project__tenant")
    return rows.filter(state=State.COPYING).first() or rows.order_by("pk").first()


def _one(operation: Operation, copy: ImageCopy, turn: Slice) -> Wait | None:
    """A turn at one of many: what goes wrong with it is written beside it."""
    try:
        if not _turn(operation, copy, turn):
            return _progress(copy, turn.rest)
    except Stopped:
        return Wait(0.0)
    except RemoteAway as away:
        if copy.tries + 1 < MOST_TRIES:
            return _again(operation, copy, away)
        reason = {"code": "copy_unreachable", "params": {"host": copy.host, "times": MOST_TRIES}}
        keep(operation, copy, state=State.FAILED, reason=reason, ended_at=Now())
    except RemoteProblem as problem:
        keep(operation, copy, state=State.FAILED, reason=reason_of(problem), ended_at=Now())
    turn.steps += 1
    return None


def _sum_up(run: ReplicationRun) -> None:
    """All were looked at. Raises StepFailed where somebody has to look as well."""
    failed, refused = (run.copies.filter(state=state).count() for state in (State.FAILED, State.REFUSED))
    run.refresh_from_db(fields=["more"])
    if failed or refused:
        raise StepFailed("replication_incomplete", {"failed": failed, "refused": refused})
    if run.more:
        raise StepFailed("replication_too_much", {"most": MOST})


def _turn(operation: Operation, copy: ImageCopy, turn: Slice) -> bool:
    return _copying(operation, copy, turn).go_on()


def _copying(operation: Operation, copy: ImageCopy, turn: Slice) -> Copying:
    subject = f"person:{operation.requested_by}" if operation.requested_by else OURSELVES
    home, there = Registry(Home(subject)), _end_of(copy)
    source, target = (home, there) if copy.outward else (there, home)
    return Copying(operation, copy, source=source, target=target, turn=turn)


def _give_up(operation: Operation, copy: ImageCopy) -> None:
    try:
        _copying(operation, copy, Slice()).give_up()
    except PortalError:
        return  # what was begun there goes by itself in time


def _end_of(copy: ImageCopy) -> Registry:
    """The registry as it is kept now; a password that changed since is the one to use."""
    if copy.registry is not None and shown(copy.registry.address) == copy.host:
        return _there(copy.registry)
    if copy.registry is not None or copy.rule is not None:
        raise RemoteProblem("copy_registry_gone")
    return Registry(Foreign(f"https://{copy.host}"))


def _there(row: RemoteRegistry) -> Registry:
    return Registry(Foreign(row.address, signs_in_at=row.signs_in_at, user=row.user, secret=row.secret or None))


def _host(rule: ReplicationRule) -> str:
    return shown(rule.registry.address)


def _again(operation: Operation, copy: ImageCopy, away: RemoteAway) -> Wait:
    """Later, and later each time. Raises StepFailed once it was often enough."""
    tries = copy.tries + 1
    if tries >= MOST_TRIES:
        reason: dict[str, Any] = {"host": away.params["host"], "times": tries}
        keep(operation, copy, reason={"code": "copy_unreachable", "params": reason})
        raise StepFailed("copy_unreachable", reason) from away
    keep(operation, copy, tries=tries)
    return _waiting(tries)


def _waiting(tries: int) -> Wait:
    seconds = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
    return Wait(seconds, "retrying", {"seconds": int(seconds)}, level="warn")


def _progress(copy: ImageCopy, rest: float = 0.0) -> Wait:
    params = {
        "done": copy.done_bytes // MEGABYTE,
        "whole": copy.size_bytes // MEGABYTE,
        "layers": copy.layers_done,
        "count": copy.layers,
    }
    return Wait(rest, "copy_progress", params, step=COPYING)


def _so_far(run: ReplicationRun, rest: float) -> Wait:
    left = run.copies.filter(state__in=ImageCopy.OPEN).count()
    count = run.copies.count()
    return Wait(rest, "replication_progress", {"done": count - left, "count": count}, step=COPYING)


WORK: dict[str, CopyImage | Replicate] = {COPY: CopyImage(), RUN: Replicate()}
