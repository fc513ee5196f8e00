"""What is approved is suspended by what is found later, by people and by time; and the registry follows."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from apps.lifecycle.purging import purge_deleted
from audit.models import AuditEntry
from core.access import SYSTEM
from core.clock import from_now
from core.errors import Conflict, Denied, Invalid
from images import tasks
from images.happening import Happened, happened, tell
from images.models import Artifact
from images.promotion import granting, laying, places, services
from images.promotion.models import Approval, Promotion
from images.promotion.standing import refused
from tenants.models import Notice, Project
from tests.conftest import Cast
from tests.promotion.laid import Registry
from tests.promotion.stages import approved, asked, gated, pushed, scanned


@pytest.fixture
def image(cast: Cast) -> Artifact:
    """In production by approval, with a scan that says A."""
    gated(cast, rating="B")
    found = pushed(cast, "a")
    scanned(found, "A")
    approved(cast, found)
    return found


def rescanned(image: Artifact, rating: str) -> None:
    scanned(image, rating)
    tell(Happened("scanned", image.repository, image.digest, SYSTEM))


@pytest.mark.parametrize(("rating", "code"), [("C", "scan_worse"), ("F", "scan_worse"), ("unknown", "scan_unknown")])
def test_a_new_finding_over_the_limit(
    cast: Cast, image: Artifact, rating: str, code: str, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        rescanned(image, rating)
    row = Approval.objects.get()
    assert row.why is not None
    assert row.why["code"] == code
    assert refused(cast.shop.pk, "prod", [image.digest])[image.digest].code == "suspended"
    told = Notice.objects.filter(kind="promotion.suspended").values_list("user__username", flat=True)
    assert set(told) == {"owner", "releaser", "developer"}
    entry = AuditEntry.objects.get(action="promotion.suspended")
    assert (entry.actor_name, entry.detail["digest"]) == ("berth", image.digest)


def test_a_new_finding_within_the_limit_changes_nothing(
    cast: Cast, image: Artifact, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        rescanned(image, "B")
    assert refused(cast.shop.pk, "prod", [image.digest]) == {}
    assert not Notice.objects.filter(kind="promotion.suspended").exists()


def test_a_stricter_policy_suspends_what_does_not_pass_it(cast: Cast, image: Artifact) -> None:
    scanned(image, "B")
    services.set_policy(cast.actor("owner"), cast.shop, stage="prod", rating="A")
    assert Approval.objects.get().suspended_at is not None


def test_a_person_withdraws_it_and_says_why(
    cast: Cast, image: Artifact, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[Happened] = []

    def hear(told: Happened, **_more: Any) -> None:
        heard.append(told)

    happened.connect(hear)
    row = Approval.objects.get()
    with pytest.raises(Invalid):
        services.suspend(cast.actor("releaser"), row, reason=" ")
    with pytest.raises(Denied):
        services.suspend(cast.actor("developer"), row, reason="no")
    with django_capture_on_commit_callbacks(execute=True):
        services.suspend(cast.actor("releaser"), row, reason="a hole was found")
    happened.disconnect(hear)
    with pytest.raises(Conflict):
        services.suspend(cast.actor("releaser"), row, reason="again")
    assert [(one.kind, one.digest, one.detail["stage"]) for one in heard] == [("suspended", image.digest, "prod")]
    assert Notice.objects.get(kind="promotion.suspended", user=cast.owner).params["why"]["params"] == {
        "person": "releaser",
        "reason": "a hole was found",
    }


def test_a_new_approval_lifts_it_and_is_told(
    cast: Cast, image: Artifact, django_capture_on_commit_callbacks: Any
) -> None:
    services.suspend(cast.actor("releaser"), Approval.objects.get(), reason="a hole was found")
    heard: list[str] = []

    def hear(told: Happened, **_more: Any) -> None:
        heard.append(told.kind)

    happened.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        approved(cast, image)
    happened.disconnect(hear)
    assert heard == ["promoted"]
    row = Approval.objects.get()
    assert (row.suspended_at, row.why) == (None, None)


def test_what_is_valid_for_a_while_ends_and_is_told_once(cast: Cast) -> None:
    gated(cast, valid_days=7)
    image = pushed(cast, "a")
    approved(cast, image)
    row = Approval.objects.get()
    assert row.valid_until is not None
    assert timedelta(days=6) < row.valid_until - row.approved_at <= timedelta(days=7, seconds=1)
    Approval.objects.update(valid_until=from_now(timedelta(seconds=-1)))
    assert refused(cast.shop.pk, "prod", [image.digest])[image.digest].code == "approval_ended"
    tasks.lay_out()
    tasks.lay_out()
    assert Notice.objects.filter(kind="promotion.suspended", user=cast.developer).count() == 1


def test_requests_that_nobody_answers_end(cast: Cast) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"))
    Promotion.objects.update(expires_at=from_now(timedelta(seconds=-1)))
    granting.end_old()
    request.refresh_from_db()
    assert request.state == "expired"


def laid(shelf: Registry, cast: Cast) -> Artifact:
    digest = shelf.put("acme/shop/web")
    found = pushed(cast, "0")
    Artifact.objects.filter(pk=found.pk).update(digest=digest)
    found.refresh_from_db()
    return found


def test_the_registry_follows_what_is_approved_though_it_was_away(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    image, path = laid(shelf, cast), places.path_of(cast.shop.pk, "prod")
    shelf.away = True
    approved(cast, image)
    tasks.lay_out()
    assert not Approval.objects.get().laid
    shelf.away = False
    tasks.lay_out()
    assert shelf.held(path) == {image.digest}
    services.suspend(cast.actor("releaser"), Approval.objects.get(), reason="a hole was found")
    shelf.away = True
    tasks.lay_out()
    assert Approval.objects.get().laid
    shelf.away = False
    tasks.lay_out()
    assert shelf.held(path) == set()
    assert not Approval.objects.get().laid
    approved(cast, image)
    tasks.lay_out()
    assert shelf.held(path) == {image.digest}


def test_an_image_for_several_platforms_is_laid_out_with_its_parts(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    parts = [shelf.put("acme/shop/web", text) for text in ("amd64", "arm64")]
    whole = shelf.index("acme/shop/web", *parts)
    image = pushed(cast, "0")
    Artifact.objects.filter(pk=image.pk).update(digest=whole)
    image.refresh_from_db()
    approved(cast, image)
    tasks.lay_out()
    assert shelf.held(places.path_of(cast.shop.pk, "prod")) == {whole, *parts}


def several(cast: Cast, shelf: Registry, *parts: str, tag: str) -> Artifact:
    """An image for several platforms, of these parts."""
    whole = shelf.index("acme/shop/web", *parts)
    image = pushed(cast, tag, tag=tag)
    Artifact.objects.filter(pk=image.pk).update(digest=whole)
    image.refresh_from_db()
    return image


def test_its_parts_are_taken_away_with_it_but_not_those_of_another(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    one, two, common = (shelf.put("acme/shop/web", text) for text in ("amd64", "riscv64", "arm64"))
    first, second = (several(cast, shelf, part, common, tag=tag) for part, tag in ((one, "1"), (two, "2")))
    for image in (first, second):
        approved(cast, image)
    tasks.lay_out()
    path = places.path_of(cast.shop.pk, "prod")
    services.suspend(cast.actor("releaser"), Approval.objects.get(digest=first.digest), reason="a hole was found")
    tasks.lay_out()
    assert shelf.held(path) == {second.digest, two, common}
    services.suspend(cast.actor("releaser"), Approval.objects.get(digest=second.digest), reason="another")
    tasks.lay_out()
    assert shelf.held(path) == set()


def test_a_part_that_is_approved_by_itself_stays(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    own, other = (shelf.put("acme/shop/web", text) for text in ("amd64", "arm64"))
    whole = several(cast, shelf, own, other, tag="1")
    alone = pushed(cast, "2", tag="2")
    Artifact.objects.filter(pk=alone.pk).update(digest=own)
    alone.refresh_from_db()
    for image in (whole, alone):
        approved(cast, image)
    tasks.lay_out()
    services.suspend(cast.actor("releaser"), Approval.objects.get(digest=whole.digest), reason="a hole was found")
    tasks.lay_out()
    assert shelf.held(places.path_of(cast.shop.pk, "prod")) == {own}


def test_when_the_project_is_gone_for_good_nothing_stays_that_its_stages_fetched(cast: Cast, shelf: Registry) -> None:
    for stage in ("test", "prod"):
        gated(cast, stage)
    parts = [shelf.put("acme/shop/web", text) for text in ("amd64", "arm64")]
    whole = several(cast, shelf, *parts, tag="1")
    alone = laid(shelf, cast)
    for stage in ("test", "prod"):
        for image in (whole, alone):
            approved(cast, image, stage)
    tasks.lay_out()
    lost = Approval.objects.get(digest=alone.digest, stage="prod")
    Approval.objects.filter(pk=lost.pk).update(laid=False)  # as when a worker was cut off before it noted that
    homes = [places.path_of(cast.shop.pk, stage) for stage in ("test", "prod")]
    assert [shelf.held(path) for path in homes] == [{whole.digest, *parts, alone.digest}] * 2
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=from_now(timedelta(days=-31)), state="deleted")
    assert purge_deleted() == 1
    shelf.away = True
    tasks.lay_out()
    assert all(shelf.held(path) for path in homes), "the registry is away, so they wait"
    shelf.away = False
    tasks.lay_out()
    assert [shelf.held(path) for path in homes] == [set(), set()]
    assert not Approval.objects.filter(laid=True).exists()


def test_a_part_that_is_gone_is_no_image_and_stops_no_other(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    image = laid(shelf, cast)
    shelf.layers.clear()
    approved(cast, image)
    with pytest.raises(Conflict, match="image_gone"):
        laying.lay_out(Approval.objects.get())
    other = pushed(cast, "1", tag="2")
    digest = shelf.put("acme/shop/web", "two")
    Artifact.objects.filter(pk=other.pk).update(digest=digest)
    other.refresh_from_db()
    approved(cast, other)
    tasks.lay_out()
    assert shelf.held(places.path_of(cast.shop.pk, "prod")) == {digest}


def test_it_is_taken_from_another_repository_of_the_project_that_has_it_still(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    image = laid(shelf, cast)
    approved(cast, image)
    content = shelf.manifests.pop(("acme/shop/web", image.digest))
    copy = pushed(cast, "1", name="copy")
    Artifact.objects.filter(pk=copy.pk).update(digest=image.digest)
    shelf.manifests["acme/shop/copy", image.digest] = content
    shelf.layers |= {("acme/shop/copy", digest) for _path, digest in shelf.layers}
    tasks.lay_out()
    assert shelf.held(places.path_of(cast.shop.pk, "prod")) == {image.digest}


def test_what_is_suspended_while_it_is_laid_out_does_not_stay(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    image = laid(shelf, cast)
    approved(cast, image)
    seen = Approval.objects.get()
    services.suspend(cast.actor("releaser"), seen, reason="a hole was found")
    laying.lay_out(seen)  # as a worker does that read it before
    assert shelf.held(places.path_of(cast.shop.pk, "prod")) == set()


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"layers": 7}', b'{"layers": ["x", {"urls": ["http://x"]}]}', b"not"])
def test_a_manifest_of_strange_form_is_carried_as_it_is_or_not_at_all(cast: Cast, shelf: Registry, body: bytes) -> None:
    gated(cast)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    shelf.manifests["acme/shop/web", digest] = body
    image = pushed(cast, "0")
    Artifact.objects.filter(pk=image.pk).update(digest=digest)
    image.refresh_from_db()
    approved(cast, image)
    tasks.lay_out()
    assert shelf.held(places.path_of(cast.shop.pk, "prod")) <= {digest}


def test_what_says_it_is_of_a_digest_and_is_not_is_not_laid_out(cast: Cast, shelf: Registry) -> None:
    gated(cast)
    image = laid(shelf, cast)
    shelf.manifests["acme/shop/web", image.digest] = b'{"layers": []}'
    approved(cast, image)
    with pytest.raises(Conflict, match="image_gone"):
        laying.lay_out(Approval.objects.get())
