"""An image from another registry, between two real ones."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import AuditEntry
from images.models import Artifact, Tag
from images.replication import copying, services, slices, working
from images.replication.models import ImageCopy, RemoteRegistry
from operations.models import Operation
from operations.services import cancel
from tests.apps.killed import die, work_until_killed
from tests.conftest import Cast
from tests.replication.conftest import step
from tests.replication.depots import Depot, digest_of

State = ImageCopy.State
Worked = Callable[..., Any]
Home = Callable[[str, str], str]
SMALL, OTHER = b"a layer" * 1000, b"another" * 1000
LARGE = bytes(range(256)) * 4096 * 10  # 10 MiB, three parts


def wanted(cast: Cast, depot: Depot, image: str = "team/web:1", **more: Any) -> ImageCopy:
    asked = {"image": f"{depot.host}/{image}", "name": "web"} | more
    return services.copy_image(cast.actor("developer"), cast.shop, **asked)


def test_an_image_with_all_that_belongs_to_it(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    digest = elsewhere.put("team/web", "1", SMALL, LARGE)
    copy = worked(lambda: wanted(cast, elsewhere))
    copy.refresh_from_db()
    operation = copy.operation
    assert (operation.state, copy.state, copy.digest) == ("succeeded", State.COPIED, digest), operation.failure
    assert home("acme/shop/web", "1") == digest
    assert (copy.layers_done, copy.done_bytes) == (3, copy.size_bytes)
    assert copy.sent_bytes == copy.size_bytes > len(LARGE)
    tag = Tag.objects.get(repository__path="acme/shop/web", name="1")
    assert (tag.artifact.digest, tag.moved_by, tag.artifact.platform) == (digest, "developer", "linux/amd64")
    entries = AuditEntry.objects.filter(action__in=("image.copy", "image.copy.run", "image.push"))
    assert set(entries.values_list("action", "result")) == {
        ("image.copy", "accepted"),
        ("image.copy.run", "done"),
        ("image.push", "done"),
    }


def test_by_digest_and_under_another_name(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    digest = elsewhere.put("team/web", "1", SMALL)
    elsewhere.put("team/web", "1", OTHER)
    worked(lambda: wanted(cast, elsewhere, f"team/web@{digest}", name="by-digest", tag="old"))
    assert home("acme/shop/by-digest", "old") == digest
    bare = worked(lambda: wanted(cast, elsewhere, f"team/web@{digest}", name="bare"))
    bare.refresh_from_db()
    assert bare.state == State.COPIED
    assert not Tag.objects.filter(repository__path="acme/shop/bare").exists()
    assert Artifact.objects.get(repository__path="acme/shop/bare").digest == digest


def test_an_image_for_several_platforms(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    each = [elsewhere.put("team/web", "", layer, name=str(at)) for at, layer in enumerate((SMALL, OTHER))]
    digest = elsewhere.put_list("team/web", "1", [(one, elsewhere.size("team/web", one)) for one in each])
    copy = worked(lambda: wanted(cast, elsewhere, name="many"))
    copy.refresh_from_db()
    assert (copy.state, copy.digest) == (State.COPIED, digest), copy.reason
    assert home("acme/shop/many", "1") == digest
    assert all(home("acme/shop/many", one) == one for one in each)


def test_what_is_there_does_not_travel_again(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/web", "1", b"shared" * 5000, b"first")
    elsewhere.put("team/web", "2", b"shared" * 5000, b"second")
    worked(lambda: wanted(cast, elsewhere, name="there"))
    again = worked(lambda: wanted(cast, elsewhere, name="there"))
    again.refresh_from_db()
    assert (again.state, again.reason["code"], again.sent_bytes) == (State.SKIPPED, "copy_same", 0)
    beside = worked(lambda: wanted(cast, elsewhere, "team/web:2", name="beside"))
    beside.refresh_from_db()
    assert beside.state == State.COPIED
    assert beside.size_bytes - beside.sent_bytes == len(b"shared" * 5000), "mounted from the repository beside"


def test_turns_end_and_another_worker_goes_on_within_a_layer(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    digest = elsewhere.put("team/web", "1", LARGE + b"turns")
    monkeypatch.setattr(slices, "SECONDS", 0.0)
    copy = wanted(cast, elsewhere, name="turns")
    assert copy.operation is not None
    offsets = []
    while copy.state in ImageCopy.OPEN and len(offsets) < 50:
        step(copy.operation_id)
        copy.refresh_from_db()
        offsets.append(copy.upload["offset"] if copy.upload else None)
    within = [one for one in offsets if one]
    assert len(within) == 2
    assert slices.PART <= within[0] < within[1] < len(LARGE)
    assert home("acme/shop/turns", "1") == digest
    assert copy.sent_bytes == copy.size_bytes


def test_cancelled_half_way(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    elsewhere.put("team/web", "1", LARGE + b"cancelled")
    copy = wanted(cast, elsewhere, name="cancelled")
    send = copying.Copying._note

    def asked(self: Any, *words: Any) -> None:
        Operation.objects.filter(pk=copy.operation_id).update(cancel_requested=True)
        send(self, *words)

    monkeypatch.setattr(copying.Copying, "_note", asked)
    step(copy.operation_id)
    copy.refresh_from_db()
    assert 0 < copy.sent_bytes < len(LARGE), "it stopped after the part under way"
    worked()
    copy.refresh_from_db()
    assert copy.operation is not None
    assert (copy.operation.state, copy.state) == ("cancelled", State.CANCELLED)
    assert not home("acme/shop/cancelled", "1")


def test_cancelled_before_it_began(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/web", "1", SMALL)
    copy = wanted(cast, elsewhere, name="never")
    assert copy.operation is not None
    cancel(cast.actor("developer"), copy.operation)
    worked()
    copy.refresh_from_db()
    assert copy.state == State.CANCELLED
    assert not home("acme/shop/never", "1")


def test_the_other_registry_is_killed_half_way_and_comes_back(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    digest = elsewhere.put("team/web", "1", SMALL + b"kill", LARGE + b"kill")
    copy = wanted(cast, elsewhere, name="killed")
    note, killed = copying.Copying._note, []

    def once(self: Any, whole: Any, layer: Any, *more: Any) -> None:
        note(self, whole, layer, *more)
        if layer.size > len(LARGE) and not killed:
            killed.append(layer.digest)
            elsewhere.kill()

    monkeypatch.setattr(copying.Copying, "_note", once)
    monkeypatch.setattr(slices, "PART", 1024 * 1024)
    for _turn in range(2):
        step(copy.operation_id)
    copy.refresh_from_db()
    events = list(Operation.objects.get(pk=copy.operation_id).events.values_list("code", flat=True))
    assert (killed, copy.state) == ([digest_of(LARGE + b"kill")], State.COPYING)
    assert "retrying" in events
    before = copy.sent_bytes
    assert 0 < before < copy.size_bytes
    elsewhere.start()
    worked()
    copy.refresh_from_db()
    assert (copy.state, home("acme/shop/killed", "1")) == (State.COPIED, digest)
    assert copy.sent_bytes == copy.size_bytes, "nothing travelled twice"


def test_what_never_answers_fails_in_the_end_with_the_reason(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked, impatient: None
) -> None:
    elsewhere.kill()
    copy = worked(lambda: wanted(cast, elsewhere, name="away"))
    copy.refresh_from_db()
    assert (copy.operation.state, copy.state) == ("failed", State.FAILED)
    assert copy.operation.failure == {"code": "copy_unreachable", "params": {"host": elsewhere.host, "times": 2}}


@pytest.mark.parametrize(("image", "code"), [("team/web:none", "copy_not_there"), ("team/nothing:1", "copy_not_there")])
def test_what_is_not_there(
    image: str, code: str, cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    copy = worked(lambda: wanted(cast, elsewhere, image, name="nothing"))
    copy.refresh_from_db()
    assert (copy.state, copy.reason["code"], copy.operation.failure["code"]) == (State.FAILED, code, code)


def test_with_a_wrong_password_nothing_is_copied(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/web", "1", SMALL)
    RemoteRegistry.objects.update(user="somebody")
    copy = worked(lambda: wanted(cast, elsewhere, name="refused"))
    copy.refresh_from_db()
    assert copy.reason == {"code": "remote_refused", "params": {"host": elsewhere.host}}


def test_a_right_that_was_lost_meanwhile(
    cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/web", "1", SMALL)
    copy = wanted(cast, elsewhere, name="lost")
    cast.developer.grants.all().delete()
    worked()
    copy.refresh_from_db()
    assert copy.operation is not None
    assert (copy.operation.state, copy.state) == ("cancelled", State.CANCELLED)
    assert not home("acme/shop/lost", "1")


@pytest.mark.parametrize(
    ("point", "count"),
    [
        ("images.replication.talking.Registry.begin_upload", 1),
        ("images.replication.talking.Registry.send", 2),
        ("images.replication.talking.Registry.send", 4),
        ("images.replication.talking.Registry.finish", 1),
        ("images.replication.talking.Registry.finish", 2),
        ("images.replication.talking.Registry.put", 1),
        ("images.registry.taking.note", 1),
        ("images.replication.copying.Copying._end", 1),
        ("operations.services.settle", 1),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_is_killed_and_another_one_ends_it(
    point: str, when: str, count: int, cast: Cast, home: Home, elsewhere: Depot, remote: RemoteRegistry, worked: Worked,
) -> None:  # fmt: skip
    name = f"die-{point.rpartition('.')[2].strip('_')}-{when}-{count}"
    digest = elsewhere.put("team/die", "1", b"d" * 300_000 + name.encode(), b"another of " + name.encode())
    copy = wanted(cast, elsewhere, "team/die:1", name=name)
    operation = copy.operation
    assert operation is not None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(slices, "PART", 65536)
        die(patched, point, when, count, importer=working)
        work_until_killed(operation)
    Operation.objects.filter(pk=operation.pk).update(lease_until=None)  # nobody renews it any more
    worked()
    copy.refresh_from_db()
    operation.refresh_from_db()
    assert (operation.state, copy.state) == ("succeeded", State.COPIED), operation.failure
    assert home(f"acme/shop/{name}", "1") == digest
    assert Tag.objects.get(repository__path=f"acme/shop/{name}").artifact.digest == digest
    assert AuditEntry.objects.filter(action="image.copy.run", operation_id=operation.pk).count() == 1
