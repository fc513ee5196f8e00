"""Rules between two real registries: what is copied which way, who wins, when, how fast, and what is written down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils.translation import override

from audit.models import AuditEntry
from core.clock import from_now
from core.errors import Conflict
from images import tasks
from images.models import Tag
from images.registry import taking
from images.replication import copying, schedule, services, slices, working
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun
from operations.models import Operation
from tenants.models import Project
from tests.conftest import Cast
from tests.replication.conftest import step
from tests.replication.depots import Depot

Worked = Callable[..., Any]
Home = Callable[[str, str], str]
State = ImageCopy.State
OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


@pytest.fixture
def ours(cast: Cast, _home: dict[str, str], home: Home, tmp_path: Any) -> Callable[..., str]:
    """`ours(name, tag, layer, built)`: pushed to our own registry, as if the registry had told of it."""
    from images.registry import signing
    from images.registry.scopes import REPOSITORY, Scope

    class Own(Depot):
        def _shown(self) -> dict[str, str]:
            scope = Scope(REPOSITORY, self.path, ("pull", "push"))
            return {"Authorization": f"Bearer {signing.issue('system:test', [scope])}"}

        path = ""

    depot = Own(tmp_path / "unused", port=int(_home["url"].rpartition(":")[2]))

    def push(name: str, tag: str, *layers: bytes, **more: Any) -> str:
        path = depot.path = f"acme/shop/{name}"
        digest = depot.put(path, tag, *layers, **more)
        taking.note(cast.shop, path, tag=tag, digest=digest, who=cast.actor("developer"))
        return digest

    return push


@pytest.fixture
def rule(cast: Cast, remote: RemoteRegistry) -> Callable[..., ReplicationRule]:
    def make(**given: Any) -> ReplicationRule:
        asked = {"direction": "pull", "remote_path": "team", "names": "*", "tags": "*"} | given
        return services.create_rule(cast.actor("owner"), cast.shop, name="mirror", registry=remote, given=asked)

    return make


@pytest.fixture
def follow(cast: Cast, worked: Worked) -> Callable[[ReplicationRule], ReplicationRun]:
    def once(row: ReplicationRule) -> ReplicationRun:
        run: ReplicationRun = worked(lambda: services.run_rule(cast.actor("owner"), row))
        run.refresh_from_db()
        return run

    return once


def lines(run: ReplicationRun) -> dict[str, tuple[str, str]]:
    """What became of each image: its state, and the reason's code."""
    return {f"{copy.path}:{copy.tag}": (copy.state, (copy.reason or {}).get("code", "")) for copy in run.copies.all()}


def test_what_fits_names_tags_and_labels_is_fetched(
    cast: Cast, home: Home, elsewhere: Depot, rule: Any, follow: Any
) -> None:
    for name, tag, labels in (
        ("pull/web", "1.1", {"tier": "web"}), ("pull/web", "1.2", {"tier": "other"}),
        ("pull/web", "2.0", {"tier": "web"}), ("pull/db", "1.1", {"tier": "web"}),
        ("other/web", "1.1", {"tier": "web"}),
    ):  # fmt: skip
        elsewhere.put(f"team/{name}", tag, f"{name}{tag}".encode() * 100, labels=labels)
    elsewhere.put("foreign/pull/web", "1.1", b"of nobody here")
    row = rule(names="pull/w*", tags="1.*", labels={"tier": "web"})
    run = follow(row)
    assert lines(run) == {
        "acme/shop/pull/web:1.1": (State.COPIED, ""),
        "acme/shop/pull/web:1.2": (State.SKIPPED, "copy_other_labels"),
    }
    assert (run.state, run.copied, run.skipped, run.refused, run.failed) == ("succeeded", 1, 1, 0, 0)
    assert home("acme/shop/pull/web", "1.1") == elsewhere.digest("team/pull/web", "1.1")
    assert Tag.objects.get(repository__path="acme/shop/pull/web").name == "1.1"
    again = follow(row)
    assert lines(again)["acme/shop/pull/web:1.1"] == (State.SKIPPED, "copy_same")
    assert again.copied_bytes == 0
    assert set(AuditEntry.objects.filter(action__startswith="replication.").values_list("action", "result")) == {
        ("replication.create", "accepted"), ("replication.run", "accepted"), ("replication.run.run", "done"),
    }  # fmt: skip


def test_what_is_here_is_sent_there(
    cast: Cast, home: Home, ours: Any, elsewhere: Depot, rule: Any, follow: Any
) -> None:
    one, two = ours("push/web", "1", b"one" * 1000), ours("push/web", "2", b"one" * 1000, b"two")
    run = follow(rule(direction="push", names="push/*"))
    assert (run.state, run.copied) == ("succeeded", 2), lines(run)
    assert (elsewhere.digest("team/push/web", "1"), elsewhere.digest("team/push/web", "2")) == (one, two)


@pytest.mark.parametrize(
    ("wins", "theirs_built", "becomes", "state"),
    [
        ("newest", NEW, "theirs", (State.COPIED, "")),
        ("newest", OLD, "ours", (State.SKIPPED, "copy_newer_there")),
        ("ours", NEW, "ours", (State.SKIPPED, "copy_keeps")),
        ("theirs", OLD, "theirs", (State.COPIED, "")),
        ("refuse", NEW, "ours", (State.REFUSED, "copy_conflict")),
    ],
)
def test_where_a_tag_means_different_images_the_rule_says_which_wins(
    wins: str, theirs_built: str, becomes: str, state: Any, home: Home, ours: Any, elsewhere: Depot, rule: Any,
    follow: Any,
) -> None:  # fmt: skip
    name = f"conflict/{wins}-{becomes}"
    here = ours(name, "1", b"ours", built="2026-01-15T00:00:00Z")
    there = elsewhere.put(f"team/{name}", "1", b"theirs", built=theirs_built)
    run = follow(rule(names=name, conflict=wins))
    assert lines(run) == {f"acme/shop/{name}:1": state}
    assert home(f"acme/shop/{name}", "1") == {"ours": here, "theirs": there}[becomes]
    assert run.state == ("failed" if wins == "refuse" else "succeeded")


def test_both_ways_the_newest_wins_at_both_ends(
    home: Home, ours: Any, elsewhere: Depot, rule: Any, follow: Any
) -> None:
    only_here = ours("both/here", "1", b"only here")
    only_there = elsewhere.put("team/both/there", "1", b"only there")
    newer_here = ours("both/a", "1", b"a, later", built=NEW)
    elsewhere.put("team/both/a", "1", b"a", built=OLD)
    ours("both/b", "1", b"b", built=OLD)
    newer_there = elsewhere.put("team/both/b", "1", b"b, later", built=NEW)
    here, there = ours("both/c", "1", b"c", built=NEW), elsewhere.put("team/both/c", "1", b"C", built=NEW)
    run = follow(rule(direction="both", names="both/*"))
    ends = {
        name: (home(f"acme/shop/both/{name}", "1"), elsewhere.digest(f"team/both/{name}", "1"))
        for name in ("here", "there", "a", "b", "c")
    }
    assert ends == {
        "here": (only_here, only_here), "there": (only_there, only_there), "a": (newer_here, newer_here),
        "b": (newer_there, newer_there), "c": (here, there),
    }  # fmt: skip
    assert (run.state, run.copied, run.refused) == ("failed", 4, 2), lines(run)
    assert run.operation is not None
    assert run.operation.failure == {"code": "replication_incomplete", "params": {"failed": 0, "refused": 2}}


def test_one_that_fails_does_not_keep_the_others(
    home: Home, elsewhere: Depot, rule: Any, follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.put("team/some/a", "1", b"a lost layer")
    elsewhere.put("team/some/b", "1", b"a good layer")
    lost = next(
        path for path in elsewhere.folder.rglob("data") if path.is_file() and path.read_bytes() == b"a lost layer"
    )
    lost.unlink()
    run = follow(rule(names="some/*"))
    found = lines(run)
    assert found["acme/shop/some/b:1"] == (State.COPIED, "")
    assert found["acme/shop/some/a:1"][0] == State.FAILED
    assert (run.copied, run.failed, run.state) == (1, 1, "failed")


def test_the_other_end_is_killed_half_way_of_a_run_and_comes_back(
    home: Home, ours: Any, elsewhere: Depot, rule: Any, worked: Worked, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end that receives: what it has whole stays, and nothing that was half there is taken for whole."""
    large = bytes(range(256)) * 4096 * 3
    digests = {
        tag: ours("half/web", tag, f"layer {tag}".encode() * 50, large + tag.encode()) for tag in ("1", "2", "3")
    }
    row, note, killed = rule(direction="push", names="half/*"), copying.Copying._note, []

    def once(self: Any, whole: Any, layer: Any, upload: Any, more: int) -> None:
        note(self, whole, layer, upload, more)
        if layer.size > len(large) and self._copy.tag == "2" and not killed:
            killed.append(upload.offset)
            elsewhere.kill()

    monkeypatch.setattr(copying.Copying, "_note", once)
    monkeypatch.setattr(slices, "PART", 1024 * 1024)
    run = services.run_rule(cast.actor("owner"), row)
    for _turn in range(6):
        if killed:
            break
        step(run.under_way.pk)
    assert killed
    assert killed[0] < len(large)
    elsewhere.start()
    worked()
    run.refresh_from_db()
    assert (run.state, run.copied) == ("succeeded", 3), lines(run)
    assert {tag: elsewhere.digest("team/half/web", tag) for tag in digests} == digests
    assert "retrying" in set(run.under_way.events.values_list("code", flat=True))


def test_what_is_pushed_goes_on_at_once_and_does_not_come_back(
    cast: Cast, home: Home, ours: Any, elsewhere: Depot, rule: Any, worked: Worked
) -> None:
    row = rule(direction="both", names="event/*", on_push=True)
    digest = worked(lambda: ours("event/web", "1", b"pushed just now"))
    assert elsewhere.digest("team/event/web", "1") == digest
    run = row.runs.get()
    assert (run.copied, list(lines(run))) == (1, ["acme/shop/event/web:1"])
    worked(lambda: ours("event-other/web", "1", b"of no rule"))
    assert not elsewhere.digest("team/event-other/web", "1")
    elsewhere.put("team/event/back", "1", b"from there")
    worked(lambda: services.run_rule(cast.actor("owner"), row))
    assert home("acme/shop/event/back", "1")
    assert row.runs.count() == 2, "what the rule brought does not begin another run"
    services.update_rule(cast.actor("owner"), row, given={"paused": True})
    worked(lambda: ours("event/web", "2", b"while it is paused"))
    assert not elsewhere.digest("team/event/web", "2")


def test_what_is_pushed_during_a_run_belongs_to_it(
    cast: Cast, home: Home, ours: Any, elsewhere: Depot, rule: Any, worked: Worked,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    row = rule(direction="push", names="during/*", on_push=True)
    run = services.run_rule(cast.actor("owner"), row)
    with django_capture_on_commit_callbacks(execute=True):
        ours("during/web", "1", b"meanwhile")
    assert ImageCopy.objects.filter(rule=row, run=None).count() == 1
    with pytest.raises(Conflict):
        services.run_rule(cast.actor("owner"), row)
    worked()
    run.refresh_from_db()
    assert (run.copied, row.runs.count()) == (1, 1)


def test_a_schedule_is_kept_and_a_paused_rule_rests(
    cast: Cast, home: Home, elsewhere: Depot, rule: Any, worked: Worked
) -> None:
    elsewhere.put("team/timed/web", "1", b"in time")
    row = rule(names="timed/*", schedule="hourly")
    worked(tasks.replicate)
    assert not row.runs.exists(), "its time has not come"
    ReplicationRule.objects.filter(pk=row.pk).update(next_at=Now(), paused=True)
    worked(tasks.replicate)
    assert not row.runs.exists()
    ReplicationRule.objects.filter(pk=row.pk).update(paused=False)
    Project.objects.filter(pk=cast.shop.pk).update(state=Project.State.SUSPENDED)
    worked(tasks.replicate)
    assert not row.runs.exists(), "nothing happens in a project that stands still"
    Project.objects.filter(pk=cast.shop.pk).update(state=Project.State.ACTIVE)
    worked(tasks.replicate)
    run = row.runs.get()
    assert (run.state, run.copied) == ("succeeded", 1)
    assert run.under_way.requested_by is None
    worked(tasks.replicate)
    assert row.runs.count() == 1, "once for each time"
    assert ReplicationRule.objects.filter(pk=row.pk, next_at__gt=from_now(timedelta(seconds=0))).exists()


def test_it_goes_no_faster_than_the_rule_says(
    cast: Cast, home: Home, elsewhere: Depot, rule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.put("team/slow/web", "1", b"s" * 1_200_000)
    monkeypatch.setattr(slices, "SECONDS", 2.0)
    row = rule(names="slow/web", kilobytes_per_second=100)
    run = services.run_rule(cast.actor("owner"), row)
    waits: list[float] = []
    progress = working._progress
    monkeypatch.setattr(working, "_progress", lambda copy, rest=0.0: waits.append(rest) or progress(copy, rest))
    sent = []
    while Operation.objects.get(pk=run.operation_id).active and len(sent) < 20:
        step(run.operation_id)
        sent.append(ImageCopy.objects.filter(run=run).values_list("sent_bytes", flat=True).get())
    steps = [after - before for before, after in zip([0, *sent], sent, strict=False)]
    assert sent[-1] > 1_200_000
    assert all(one <= 2 * 100_000 + 300_000 for one in steps), "two seconds' worth, and the piece that came last"
    assert len(waits) >= 2
    assert all(wait > 0 for wait in waits), "the worker is free meanwhile"


def test_more_than_one_run_takes_is_told(
    home: Home, elsewhere: Depot, rule: Any, follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tag in "abc":
        elsewhere.put("team/many/web", tag, b"the same")
    monkeypatch.setattr("images.replication.planning.MOST", 2)
    run = follow(rule(names="many/web"))
    assert (run.more, run.copied, run.state) == (True, 2, "failed")
    assert run.operation is not None
    assert run.operation.failure["code"] == "replication_too_much"  # type: ignore[index]  # it failed


def test_a_run_is_cancelled_and_what_is_left_says_so(
    cast: Cast, home: Home, elsewhere: Depot, rule: Any, worked: Worked
) -> None:
    from operations.services import cancel

    elsewhere.put("team/cancel/web", "1", b"x")
    run = services.run_rule(cast.actor("owner"), rule(names="cancel/web"))
    cancel(cast.actor("owner"), run.under_way)
    worked()
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not home("acme/shop/cancel/web", "1")


MOMENT = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("hourly", datetime(2026, 11, 25, 15, 0, tzinfo=UTC)),
        ("every 6 hours", datetime(2026, 11, 25, 20, 0, tzinfo=UTC)),
        ("daily at 03:00", datetime(2026, 11, 26, 3, 0, tzinfo=UTC)),
        ("daily at 14:31", datetime(2026, 11, 25, 14, 31, tzinfo=UTC)),
        ("daily at 14:30", datetime(2026, 11, 26, 14, 30, tzinfo=UTC)),
        ("weekly on monday at 03:00", datetime(2026, 11, 30, 3, 0, tzinfo=UTC)),
        ("weekly on wednesday at 03:00", datetime(2026, 12, 2, 3, 0, tzinfo=UTC)),
        ("weekly on wednesday at 23:59", datetime(2026, 11, 25, 23, 59, tzinfo=UTC)),
        ("", None),
        ("daily at 24:00", None),
        ("every 0 hours", None),
        ("* * * * *", None),
    ],
)
def test_schedules(words: str, after: datetime | None) -> None:
    assert schedule.next_after(words, MOMENT) == after


@pytest.mark.parametrize("words", ["hourly", "every 6 hours", "daily at 03:00", ""])
def test_schedules_are_told_as_they_were_written(words: str) -> None:
    assert schedule.said(words) == words


def test_the_day_of_a_schedule_is_told_in_the_readers_language() -> None:
    with override("zh-hans"):
        assert "星期三" in schedule.said("weekly on wednesday at 23:59")
