"""What is pushed is looked through by a worker: each layer once, from a real registry over HTTP, however it lies."""

import json
import os
from datetime import timedelta
from typing import Any

import pytest

from audit.models import AuditEntry
from core.access import SYSTEM
from images import tasks
from images.happening import Happened, happened
from images.models import Artifact, LookedLayer, Repository, Scan
from images.scanning import layers, working
from images.scanning.limits import Limits
from images.scanning.operations import last_try, waiting_before
from images.scanning.ordering import order_by_itself
from operations.models import Operation
from operations.registry import words
from tests.conftest import Cast, Wakeups
from tests.scanning.advisories import CRITICAL, advisory
from tests.scanning.conftest import Push, work
from tests.scanning.images import Made, deb, digest, layer
from tests.scanning.operator import debian
from tests.scanning.shelf import Shelf
from tests.scanning.test_secrets import key

pytestmark = pytest.mark.usefixtures("cast", "_no_tools")
BASE = layer(debian(deb("bash", "5.2-1")))


def top(text: str) -> bytes:
    return layer({"srv/text": text, "usr/lib/python3/dist-packages/x-1.dist-info/METADATA": "Name: x\nVersion: 1\n"})


def test_a_push_is_looked_through_compared_kept_and_told(
    pushed: Push, brought: Any, django_capture_on_commit_callbacks: Any
) -> None:
    brought(
        advisory("CVE-2026-1", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL), advisory("PYSEC-1", "PyPI", "y")
    )
    told: list[Happened] = []

    def hear(told_now: Happened, **_more: Any) -> None:
        told.append(told_now)

    happened.connect(lambda told, **more: hear(told, **more), weak=False, dispatch_uid="test")
    try:
        artifact, operation = pushed(Made([BASE, top("a")], packed=True))
    finally:
        happened.disconnect(dispatch_uid="test")
    assert (operation.state, operation.failure) == ("succeeded", None)
    scan = artifact.scans.get()
    assert (scan.rating, scan.at_best, scan.counts["critical"]) == ("F", "F", 1)
    assert scan.findings.get().layer == 1
    assert {one.name: one.layer for one in scan.packages.all()} == {"bash": 1, "x": 2}
    assert artifact.digest in scan.digests
    assert [one["command"] for one in scan.layers] == ["", ""]
    assert [(one.kind, one.digest) for one in told] == [("pushed", artifact.digest), ("scanned", artifact.digest)]
    assert AuditEntry.objects.filter(action="image.scan", result="done", actor_name="berth").count() == 1
    steps = [event.code for event in operation.events.order_by("seq")]
    assert steps == ["accepted", "scan_layer", "succeeded"]


def test_layers_of_zstd_are_read(pushed: Push) -> None:
    artifact, operation = pushed(Made([BASE, top("a")], packed="zstd"))
    assert operation.state == "succeeded"
    assert {one.name for one in artifact.scans.get().packages.all()} == {"bash", "x"}


def test_layers_that_images_share_are_read_once(pushed: Push, shelf: Shelf) -> None:
    first, second = Made([BASE, top("a")], packed=True), Made([BASE, top("b")], packed=True)
    pushed(first)
    pushed(second, path="acme/shop/other")
    base = digest(first.laid()[0])
    assert [shelf.asked.count(one) for one in (base, digest(second.laid()[1]))] == [1, 1]
    found = [sorted(scan.packages.values_list("name", "layer")) for scan in Scan.objects.order_by("pk")]
    assert found[0] == found[1] == [("bash", 1), ("x", 2)]


def test_what_shared_layers_tell_is_what_reading_them_at_once_tells(pushed: Push, look: Any) -> None:
    """Removed, replaced, linked, buried: the state between layers loses nothing."""
    under = {
        **debian(deb("bash", "5.2-1"), deb("gone", "1-1")),
        "root/id_rsa": key("RSA PRIVATE KEY"),
        "opt/a/b": "text",
        "srv/x": "y",
    }
    over = {"var/lib/dpkg/status": deb("bash", "5.2-1") + deb("new", "2-1"), "root/.wh.id_rsa": "", "opt/a": "file"}
    made = Made([layer(under), layer(over), layer({"etc/os-release": "ID=debian\nVERSION_ID=13\n"})])
    artifact, operation = pushed(made)
    assert operation.state == "succeeded"
    at_once = look(*made.layers)
    scan = artifact.scans.get()
    kept = [{**one, "version": one["version"]} for one in scan.packages.order_by("kind", "name").values()]
    assert [(one["name"], one["version"], one["layer"]) for one in kept] == [
        (one["name"], one["version"], one["layer"]) for one in at_once["packages"]
    ]
    for part in ("secrets", "special_files", "notes", "system", "layers"):
        assert getattr(scan, part) == at_once[part], part
    assert [one["buried"] for one in scan.secrets] == [True]


def test_a_worker_that_is_killed_between_layers_is_followed_by_another(
    pushed: Push, shelf: Shelf, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    made = Made([BASE, top("a")], packed=True)
    artifact, operation = pushed(made, steps=1)
    assert (operation.state, operation.step, artifact.scans.count()) == ("running", "layer:1", 0)
    # the second worker took the lease, read half of the layer and was killed: its lease runs out
    Operation.objects.update(lease_owner="dead:1", fence=operation.fence + 1, not_before=None)
    wakeups.ids = [str(operation.pk)]
    work(wakeups, django_capture_on_commit_callbacks)
    operation.refresh_from_db()
    assert (operation.state, artifact.scans.count()) == ("succeeded", 1)
    assert shelf.asked.count(digest(made.laid()[0])) == 1, "what was read is not read again"


def test_it_waits_while_the_registry_is_away(
    pushed: Push, shelf: Shelf, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    shelf.away = True
    made = Made([BASE])
    artifact, operation = pushed(made, steps=3)
    assert operation.state == "running"
    assert [event.code for event in operation.events.order_by("seq")] == ["accepted", "registry_away"]
    shelf.away, shelf.lies[digest(BASE)] = False, "cut"
    work(wakeups, django_capture_on_commit_callbacks, 2)
    operation.refresh_from_db()
    assert operation.state == "running"
    shelf.lies.clear()
    work(wakeups, django_capture_on_commit_callbacks)
    operation.refresh_from_db()
    assert (operation.state, artifact.scans.count()) == ("succeeded", 1)


BOMB = layer({"zeros": b"\0" * 40_000_000})


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ("gone", "registry_gone"),
        ("endless", "registry_size"),
        ("larger", "registry_size"),
        ("smaller", "registry_size"),
        ("other", "registry_digest"),
        ("negative", "document_broken"),
        ("huge", "too_large"),
        ("text", "document_broken"),
        ("fewer", "archive_layers_differ"),
        ("diff_id", "layer_digest"),
        ("manifest", "registry_digest"),
        ("config", "registry_digest"),
        ("no layers", "not_an_image"),
        ("bomb", "layer_bomb"),
        ("not a tar", "layer_broken"),
    ],
)
def test_what_lies_is_not_looked_through_and_has_no_rating(
    lie: str, reason: str, pushed: Push, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "LIMITS", Limits(ratio_from_bytes=1_000_000, wall_seconds=60))
    made = Made([BASE, {"bomb": BOMB, "not a tar": b"x" * 5000}.get(lie, top("a"))], packed=True)
    said, changed = json.loads(made.manifest), {}
    first = dict(said["layers"][0])
    sizes = {"larger": first["size"] + 1, "smaller": first["size"] - 1, "negative": -1, "huge": 2**60, "text": "9"}
    if lie in sizes:
        changed["layers"] = [first | {"size": sizes[lie]}, said["layers"][1]]
    elif lie == "fewer":
        changed["layers"] = said["layers"][:1]
    elif lie == "no layers":
        changed["layers"] = None
    elif lie == "diff_id":
        made = Made(made.layers, packed=True, diff_ids=[digest(b"x"), digest(made.layers[1])])
    known = shelf.put(made, **changed)
    wrong = {"manifest": known, "config": digest(made.config), "other": first["digest"]}
    if lie in wrong:
        shelf.things[wrong[lie]] = shelf.things[wrong[lie]].replace(b"a", b"b") + b" "[: lie != "other"]
    elif lie in ("gone", "endless"):
        shelf.lies[first["digest"]] = lie
    artifact, operation = pushed(known)
    assert operation.state == "failed"
    assert operation.failure is not None
    assert operation.failure["code"] == reason
    assert reason not in words(reason, operation.failure["params"]), "it has words"
    assert not artifact.scans.exists()
    assert shelf.sent < 50_000_000
    assert LookedLayer.objects.count() == (1 if lie in ("bomb", "not a tar") else 0)


@pytest.mark.parametrize("lie", ["moved", "away"])
def test_nothing_that_answers_leads_to_another_host(lie: str, pushed: Push, shelf: Shelf) -> None:
    made = Made([BASE])
    shelf.lies[digest(BASE)] = lie
    _artifact, operation = pushed(made, steps=2)
    assert operation.state == "running"
    assert operation.events.filter(code="registry_away").count() == 1


def test_a_manifest_without_end_is_not_read_to_its_end(pushed: Push, shelf: Shelf) -> None:
    known = shelf.put(Made([BASE]))
    shelf.lies[known] = "endless"
    _artifact, operation = pushed(known, steps=1)
    assert operation.state == "running"
    assert shelf.sent < 50_000_000


def test_of_an_image_for_several_platforms_each_has_its_report(
    pushed: Push, shelf: Shelf, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    made = [Made([BASE, top(name)]) for name in ("amd64", "arm64")]
    platforms = [("linux", "amd64"), ("linux", "arm64"), ("unknown", "unknown")]
    listed = [
        {"digest": one, "platform": {"os": system, "architecture": machine}}
        for one, (system, machine) in zip([*map(shelf.put, made), digest(b"notes")], platforms, strict=True)
    ]
    kind = "application/vnd.oci.image.index.v1+json"
    known = shelf.add(json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": listed}).encode())
    artifact, operation = pushed(known)
    assert operation.state == "succeeded"
    scan = artifact.scans.get()
    assert [one["platform"] for one in scan.parts] == ["linux/amd64", "linux/arm64"]
    work(wakeups, django_capture_on_commit_callbacks)
    parts = Artifact.objects.filter(digest__in=[one["digest"] for one in scan.parts])
    assert [one.scans.count() for one in parts] == [1, 1]


def test_what_was_missed_is_found_later_and_once(
    cast: Cast, shelf: Shelf, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    home = Repository.objects.create(tenant=cast.acme, project=cast.shop, path="acme/shop/web", name="x/acme/shop/web")
    artifact = Artifact.objects.create(repository=home, digest=shelf.put(Made([BASE])), pinned="x")
    elsewhere = Repository.objects.create(tenant=cast.acme, name="elsewhere")
    Artifact.objects.create(repository=elsewhere, digest=artifact.digest, pinned="x")
    for _time in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            tasks.look_after_scans()
        assert Operation.objects.filter(kind="image.scan.run").count() == 1
    work(wakeups, django_capture_on_commit_callbacks)
    assert artifact.scans.count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        order_by_itself(artifact)
    assert Operation.objects.filter(kind="image.scan.run").count() == 1, "it has its report"


def test_one_is_looked_through_at_a_time_and_each_tenant_has_its_turn(cast: Cast, shelf: Shelf, settings: Any) -> None:
    def order(tenant: Any, project: Any, number: int) -> Operation:
        path = f"{tenant.name}/{project.name}/web"
        home, _new = Repository.objects.get_or_create(tenant=tenant, project=project, path=path, name=f"x/{path}")
        row = Artifact.objects.create(repository=home, digest=digest(b"%d" % number), pinned="x")
        order_by_itself(row)
        found = last_try(row)
        assert found is not None
        return found

    ours = [order(cast.acme, cast.shop, number) for number in range(3)]
    theirs = order(cast.globex, cast.store, 9)
    assert [waiting_before(one) for one in (*ours, theirs)] == [0, 2, 3, 1]
    settings.SCANS_AT_ONCE = 2
    assert [waiting_before(one) for one in (*ours, theirs)] == [0, 1, 2, 0]
    assert ours[0].requested_by is None
    assert ours[0].requested_by_name == SYSTEM.name


def test_what_nobody_uses_is_forgotten(pushed: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed(Made([BASE, top("a")]))
    layers.forget_unused()
    assert LookedLayer.objects.count() == 2
    newest = LookedLayer.objects.latest("pk")
    LookedLayer.objects.exclude(pk=newest.pk).update(used_at=newest.used_at - timedelta(days=15))
    layers.forget_unused()
    assert LookedLayer.objects.get() == newest
    monkeypatch.setattr(layers, "MOST_BYTES", 10)
    layers.forget_unused()
    assert not LookedLayer.objects.exists()


def test_noise_that_is_larger_than_a_pipe_is_read_to_its_end(pushed: Push) -> None:
    artifact, operation = pushed(Made([layer({"srv/noise": os.urandom(9_000_000)}), BASE], packed=True))
    assert operation.state == "succeeded"
    assert artifact.scans.get().packages.get().layer == 2
