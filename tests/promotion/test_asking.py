"""Who asks, who answers, and who never does."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEntry
from core.errors import Conflict, Denied, Invalid
from images.promotion import selectors, services
from images.promotion.models import Approval, Decision, Promotion, Stage, StagePolicy
from images.promotion.standing import refused
from tenants.models import Grant, Notice
from tenants.robots.services import create_robot
from tests.conftest import Cast, actor_of, person
from tests.promotion.stages import approved, asked, digest_of, gated, pushed, scanned


def test_stages_are_those_of_environments() -> None:
    from apps.models import Environment

    assert Stage.choices == Environment.Stage.choices


def test_a_project_without_a_policy_takes_every_image(cast: Cast) -> None:
    image = pushed(cast, "a")
    assert refused(cast.shop.pk, "prod", [image.digest, ""]) == {}
    with pytest.raises(Conflict, match="no_policy"):
        asked(cast, image)


def test_one_asks_and_another_approves(cast: Cast) -> None:
    gated(cast)
    image = pushed(cast, "a", by="developer")
    assert refused(cast.shop.pk, "prod", [image.digest])[image.digest].code == "not_approved"
    request = asked(cast, image)
    told = Notice.objects.filter(kind="promotion.asked").values_list("user__username", flat=True)
    assert set(told) == {"owner", "releaser"}
    services.approve(cast.actor("releaser"), request, reason="26 of 26 checks passed")
    assert refused(cast.shop.pk, "prod", [image.digest]) == {}
    assert Notice.objects.filter(kind="promotion.approved", user=cast.developer).exists()
    entry = AuditEntry.objects.get(action="promotion.approve")
    assert (entry.result, entry.actor_name, entry.detail["digest"]) == ("accepted", "releaser", image.digest)


def test_an_approval_holds_for_one_stage_of_one_project(cast: Cast) -> None:
    gated(cast, "test")
    gated(cast, "prod")
    services.set_policy(cast.actor("outsider"), cast.store, stage="prod")
    image = pushed(cast, "a")
    approved(cast, image, "test")
    assert refused(cast.shop.pk, "test", [image.digest]) == {}
    assert image.digest in refused(cast.shop.pk, "prod", [image.digest])
    assert image.digest in refused(cast.store.pk, "prod", [image.digest])


def test_no_stage_is_left_out(cast: Cast) -> None:
    gated(cast, "test")
    gated(cast, "prod")
    image = pushed(cast, "a")
    with pytest.raises(Conflict, match="stage_left_out"):
        asked(cast, image, "prod")
    approved(cast, image, "test")
    approved(cast, image, "prod")
    assert refused(cast.shop.pk, "prod", [image.digest]) == {}


def test_whoever_asked_does_not_answer(cast: Cast) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"), by="releaser")
    for answer in (services.approve, services.refuse):
        with pytest.raises(Denied, match="denied"):
            answer(cast.actor("releaser"), request)
    assert not Decision.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            promotion=request, asked_by=cast.releaser, person=cast.releaser, person_name="releaser", approves=True
        )


def test_whoever_brought_the_image_does_not_answer_under_whatever_name_it_lies(cast: Cast) -> None:
    gated(cast)
    pushed(cast, "a", name="copy", by="releaser")
    request = asked(cast, pushed(cast, "a", name="web", by="developer"))
    assert selectors.builders(digest_of("a"), tenant=cast.acme.pk) == {"developer", "releaser"}
    with pytest.raises(Denied):
        services.approve(cast.actor("releaser"), request)
    services.approve(cast.actor("owner"), request)
    assert Approval.objects.get().digest == digest_of("a")


def test_whoever_answers_for_the_robot_that_brought_it_does_not_answer(cast: Cast) -> None:
    gated(cast)
    robot = create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.developer")
    request = asked(cast, pushed(cast, "a", by=robot.user.get_username()))
    with pytest.raises(Denied):
        services.approve(cast.actor("owner"), request)


def test_a_robot_decides_nothing(cast: Cast) -> None:
    gated(cast)
    robot = create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.release_manager")
    request = asked(cast, pushed(cast, "a"))
    with pytest.raises(Denied):
        services.approve(actor_of(robot.user), request)
    assert not Approval.objects.exists()


@pytest.mark.parametrize("who", ["developer", "guest", "auditor", "outsider"])
def test_who_may_not_approve_does_not(cast: Cast, who: str) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"))
    with pytest.raises(Denied):
        services.approve(cast.actor(who), request)
    assert AuditEntry.objects.filter(action="promotion.approve", result="denied", actor_name=who).exists()


def test_as_many_as_are_asked_for_have_to_approve_and_nobody_counts_twice(cast: Cast) -> None:
    gated(cast, approvers=2)
    image = pushed(cast, "a")
    request = asked(cast, image)
    services.approve(cast.actor("releaser"), request)
    assert image.digest in refused(cast.shop.pk, "prod", [image.digest])
    with pytest.raises(Conflict, match="decided_already"):
        services.approve(cast.actor("releaser"), request)
    services.approve(cast.actor("owner"), request)
    assert refused(cast.shop.pk, "prod", [image.digest]) == {}
    late = person("late")
    Grant.objects.create(user=late, role="project.admin", tenant=cast.acme, project=cast.shop)
    with pytest.raises(Conflict, match="not_open"):
        services.approve(actor_of(late), request)


def test_one_refusal_is_enough(cast: Cast) -> None:
    gated(cast, approvers=2)
    request = asked(cast, pushed(cast, "a"))
    services.approve(cast.actor("releaser"), request)
    services.refuse(cast.actor("owner"), request, reason="not on a Friday")
    with pytest.raises(Conflict, match="not_open"):
        services.approve(cast.actor("owner"), request)
    assert not Approval.objects.exists()
    told = Notice.objects.get(kind="promotion.refused", user=cast.developer)
    assert told.params["reason"] == "not on a Friday"


def test_the_same_is_asked_for_once_and_taken_back_by_who_asked(cast: Cast) -> None:
    gated(cast)
    image = pushed(cast, "a")
    request = asked(cast, image)
    with pytest.raises(Conflict, match="asked_already"):
        asked(cast, image, by="releaser")
    with pytest.raises(Denied):
        services.withdraw(cast.actor("releaser"), request)
    services.withdraw(cast.actor("developer"), request)
    with pytest.raises(Conflict, match="not_open"):
        services.approve(cast.actor("releaser"), request)
    approved(cast, image)
    with pytest.raises(Conflict, match="approved_already"):
        asked(cast, image)


@pytest.mark.parametrize(
    ("rating", "code"), [(None, "scan_objects"), ("unknown", "scan_objects"), ("C", "scan_objects"), ("B", "")]
)
def test_what_nobody_knows_is_never_clean(cast: Cast, rating: str | None, code: str) -> None:
    gated(cast, rating="B")
    image = pushed(cast, "a")
    if rating:
        scanned(image, rating)
    request = asked(cast, image)  # asking comes before scanning
    if code:
        with pytest.raises(Conflict, match=code):
            services.approve(cast.actor("releaser"), request)
        assert not Decision.objects.exists()
    else:
        services.approve(cast.actor("releaser"), request)
        seen = Decision.objects.get().scan
        assert seen is not None
        assert seen["rating"] == "B"


def test_the_same_image_in_another_repository_of_the_project_hides_no_finding(cast: Cast) -> None:
    gated(cast, rating="B")
    scanned(pushed(cast, "a", name="web"), "E")
    copy = pushed(cast, "a", name="copy")
    scanned(copy, "A")
    with pytest.raises(Conflict, match="scan_objects"):
        services.approve(cast.actor("releaser"), asked(cast, copy))


def test_too_old_a_request_is_over(cast: Cast) -> None:
    from datetime import timedelta

    from core.clock import from_now

    gated(cast)
    image = pushed(cast, "a")
    request = asked(cast, image)
    Promotion.objects.filter(pk=request.pk).update(expires_at=from_now(timedelta(seconds=-1)))
    with pytest.raises(Conflict, match="not_open"):
        services.approve(cast.actor("releaser"), request)
    again = asked(cast, image)
    request.refresh_from_db()
    assert request.state == Promotion.State.EXPIRED
    services.approve(cast.actor("releaser"), again)


@pytest.mark.parametrize(
    "asks", [{"stage": "moon"}, {"approvers": 0}, {"approvers": 6}, {"rating": "G"}, {"valid_days": 0}]
)
def test_a_policy_asks_for_what_can_be(cast: Cast, asks: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        services.set_policy(cast.actor("owner"), cast.shop, **{"stage": "prod"} | asks)
    assert not StagePolicy.objects.exists()


@pytest.mark.parametrize("who", ["developer", "releaser", "guest", "outsider"])
def test_a_policy_is_made_and_ended_by_who_runs_the_project_and_approvers_hear_of_it(cast: Cast, who: str) -> None:
    with pytest.raises(Denied):
        services.set_policy(cast.actor(who), cast.shop, stage="prod")
    gated(cast)
    assert Notice.objects.filter(kind="promotion.policy", user=cast.releaser).count() == 1
    with pytest.raises(Denied):
        services.end_policy(cast.actor(who), cast.shop, stage="prod")
    services.end_policy(cast.actor("owner"), cast.shop, stage="prod")
    assert Notice.objects.filter(kind="promotion.policy", user=cast.releaser).count() == 2
    assert AuditEntry.objects.get(action="promotion.end_policy", result="accepted").before["approvers"] == 1
