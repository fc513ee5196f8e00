"""Access reviews: what they list, who answers what, what silence does, and that the result stays what it was."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.errors import Conflict, Denied, Invalid
from core.status import Status
from tenants.models import Grant, Notice, Review, ReviewLine, Token, User
from tenants.requests.selectors import needs, needs_count
from tenants.reviews import ending, selectors, services
from tenants.reviews.words import Shown
from tenants.services import create_project, give_grant, update_project
from tenants.tasks import look_after_reviews
from tests.conftest import Cast, actor_of, person

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]


def begun(cast: Cast, by: str = "auditor", **change: Any) -> Review:
    asked: dict[str, Any] = {"name": "Fourth quarter", "ends_at": timezone.now() + timedelta(days=10)}
    return services.start(cast.actor(by), cast.acme, **(asked | change))


def line_of(review: Review, name: str, role: str = "") -> ReviewLine:
    rows = ReviewLine.objects.filter(review=review, person=name)
    return (rows.filter(role=role) if role else rows).get()


def due(review: Review) -> None:
    Review.objects.filter(pk=review.pk).update(ends_at=timezone.now() - timedelta(seconds=1))


def second_owner(cast: Cast) -> User:
    second = person("second")
    Grant.objects.create(user=second, role="tenant.owner", tenant=cast.acme)
    return second


def test_it_lists_every_role_that_runs_and_no_other(cast: Cast) -> None:
    over = Grant.objects.create(user=cast.guest, role="project.tester", tenant=cast.acme, project=cast.shop)
    Grant.objects.filter(pk=over.pk).update(ended_at=timezone.now())
    review = begun(cast)
    rows = ReviewLine.objects.filter(review=review).order_by("number").values_list("person", "role", "place")
    assert list(rows) == [
        ("auditor", "tenant.auditor", "acme"),
        ("developer", "project.developer", "acme / shop"),
        ("guest", "project.guest", "acme / shop"),
        ("owner", "tenant.owner", "acme"),
        ("releaser", "project.release_manager", "acme / shop"),
    ]
    entry = AuditEntry.objects.get(action="review.start")
    assert (entry.after["lines"], entry.after["review"]) == (5, str(review.pk))


def test_only_some_roles_and_only_one_project(cast: Cast) -> None:
    review = begun(cast, roles=["project.guest"])
    assert list(review.lines.values_list("person", flat=True)) == ["guest"]
    services.start(cast.actor("owner"), cast.shop, name="shop", ends_at=timezone.now() + timedelta(days=1))
    assert Review.objects.get(name="shop").lines.count() == 3
    with pytest.raises(Conflict) as empty:
        begun(cast, roles=["project.admin"])
    assert empty.value.code == "nothing_to_review"
    assert Review.objects.count() == 2


@pytest.mark.parametrize("name", ["developer", "releaser", "guest", "outsider", "operator"])
def test_only_owners_and_auditors_begin_one(cast: Cast, name: str) -> None:
    with pytest.raises(Denied):
        begun(cast, by=name)
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"ends_at": timezone.now() - timedelta(days=1)},
        {"ends_at": timezone.now() + timedelta(days=93)},
        {"roles": ["platform.operator"]},
        {"roles": ["nonsense"]},
    ],
)
def test_nonsense_is_refused(cast: Cast, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        begun(cast, **change)
    assert not Review.objects.exists()


def test_what_was_done_under_a_role_is_its_last_use(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    grant = Grant.objects.get(user=cast.owner)
    unused = Grant.objects.get(user=cast.developer)
    with django_capture_on_commit_callbacks(execute=True):
        update_project(cast.actor("owner"), cast.shop, title="New")
    grant.refresh_from_db()
    unused.refresh_from_db()
    assert grant.last_used_at is not None
    assert unused.last_used_at is None
    with django_capture_on_commit_callbacks(execute=True):
        update_project(cast.actor("owner"), cast.shop, title="Newer")
    assert Grant.objects.get(pk=grant.pk).last_used_at == grant.last_used_at, "once an hour is enough"
    old = timezone.now() - timedelta(hours=2)
    Grant.objects.filter(pk=grant.pk).update(last_used_at=old)
    with django_capture_on_commit_callbacks(execute=True):
        update_project(cast.actor("owner"), cast.shop, title="Newest")
    assert Grant.objects.get(pk=grant.pk).last_used_at > old  # type: ignore[operator]  # it was set above


def test_use_in_words(cast: Cast) -> None:
    now = timezone.now()
    Grant.objects.update(starts_at=now - timedelta(days=100))
    Grant.objects.filter(user=cast.developer).update(last_used_at=now - timedelta(days=70))
    Grant.objects.filter(user=cast.owner).update(last_used_at=now)
    Token.objects.create(cast.guest, name="t")
    Token.objects.filter(user=cast.guest).update(last_used_at=now - timedelta(days=2))
    review = begun(cast)
    said = {one.person: Shown(one, review.created_at).use[1] for one in review.lines.all()}
    assert said["developer"] == "not used in 70 days"
    assert said["owner"] == "in use"
    assert said["guest"] == "in use", "a role that only looks is used by being here"
    assert said["releaser"] == "never used in 100 days"


def test_a_role_of_today_is_not_used_yet(cast: Cast) -> None:
    review = begun(cast)
    assert Shown(line_of(review, "releaser"), review.created_at).use == (Status.WAITING, "not used yet")


def test_keeping_and_ending(cast: Cast) -> None:
    review = begun(cast)
    kept = services.answer(cast.actor("owner"), line_of(review, "developer"), keep=True)
    assert (kept.state, kept.decided_by) == ("kept", "owner")
    assert Grant.objects.get(user=cast.developer).ended_at is None
    ended = services.answer(cast.actor("owner"), line_of(review, "guest"), keep=False, reason="left the team")
    grant = Grant.objects.get(user=cast.guest)
    assert (ended.state, ended.decision_reason, grant.ended_by) == ("ended", "left the team", "owner")
    entry = AuditEntry.objects.get(action="review.answer", target_id=str(ended.pk))
    assert (entry.before, entry.after["state"]) == ({"state": "open"}, "ended")
    assert AuditEntry.objects.filter(action="grant.end", detail__grant=str(grant.pk)).exists()
    with pytest.raises(Conflict) as again:
        services.answer(cast.actor("owner"), ended, keep=True)
    assert again.value.code == "answered_already"
    changed = services.answer(cast.actor("owner"), kept, keep=False, reason="on second thought")
    assert changed.state == "ended"


def test_ending_needs_a_reason(cast: Cast) -> None:
    review = begun(cast)
    with pytest.raises(Invalid) as why:
        services.answer(cast.actor("owner"), line_of(review, "guest"), keep=False, reason=" ")
    assert why.value.errors[0].field == "reason"
    assert Grant.objects.get(user=cast.guest).ended_at is None


def test_nobody_answers_for_themselves(cast: Cast) -> None:
    second = second_owner(cast)
    review = begun(cast)
    with pytest.raises(Denied):
        services.answer(cast.actor("owner"), line_of(review, "owner"), keep=True)
    assert line_of(review, "owner") not in services.deciding.answerable(cast.actor("owner"))
    assert services.answer(actor_of(second), line_of(review, "owner"), keep=True).state == "kept"


def test_an_auditor_confirms_the_only_owner_and_nobody_ends_that_role(cast: Cast) -> None:
    review = begun(cast)
    line = line_of(review, "owner")
    assert list(services.deciding.answerable(cast.actor("auditor"))) == [line]
    with pytest.raises(Conflict) as last:
        services.answer(cast.actor("auditor"), line, keep=False, reason="x")
    assert last.value.code == "last_owner"
    assert services.answer(cast.actor("auditor"), line, keep=True).state == "kept"
    with pytest.raises(Denied):
        services.answer(cast.actor("auditor"), line_of(review, "developer"), keep=True)


def test_an_auditor_leaves_owners_to_owners_where_there_are_two(cast: Cast) -> None:
    second_owner(cast)
    review = begun(cast)
    assert not services.deciding.answerable(cast.actor("auditor")).exists()
    with pytest.raises(Denied):
        services.answer(cast.actor("auditor"), line_of(review, "owner"), keep=True)


def test_a_project_admin_answers_for_their_project_only(cast: Cast) -> None:
    billing = create_project(cast.actor("owner"), cast.acme, name="billing")
    chief = person("chief")
    Grant.objects.create(user=chief, role="project.admin", tenant=cast.acme, project=cast.shop)
    Grant.objects.create(user=cast.guest, role="project.guest", tenant=cast.acme, project=billing)
    review = begun(cast)
    found = services.deciding.answerable(actor_of(chief)).filter(review=review)
    assert set(found.values_list("person", "place")) == {
        ("developer", "acme / shop"),
        ("guest", "acme / shop"),
        ("releaser", "acme / shop"),
    }
    assert needs_count(actor_of(chief)) == 3
    shown = selectors.lines(actor_of(chief), review)
    assert {line.project_id for line in shown} == {cast.shop.pk}
    other = ReviewLine.objects.get(review=review, place="acme / billing")
    with pytest.raises(Denied):
        services.answer(actor_of(chief), other, keep=True)


def test_silence_ends_what_nobody_confirmed(cast: Cast) -> None:
    review = begun(cast)
    services.answer(cast.actor("owner"), line_of(review, "developer"), keep=True)
    look_after_reviews()
    review.refresh_from_db()
    assert review.state == "running"
    due(review)
    look_after_reviews()
    review.refresh_from_db()
    states = dict(review.lines.values_list("person", "state"))
    assert states == {
        "auditor": "silent",
        "developer": "kept",
        "guest": "silent",
        "owner": "last_owner",
        "releaser": "silent",
    }
    running = Grant.objects.filter(tenant=cast.acme, ended_at=None).values_list("user__username", flat=True)
    assert set(running) == {"developer", "owner"}
    assert Grant.objects.get(user=cast.guest).ended_by == "berth"
    entry = AuditEntry.objects.get(action="review.silence", before__person="guest")
    assert entry.detail["grant"] == str(Grant.objects.get(user=cast.guest).pk)
    sealed = AuditEntry.objects.get(action="review.close")
    assert sealed.after["counts"] == {"silent": 3, "kept": 1, "last_owner": 1}
    told = Notice.objects.get(kind="review.over")
    assert (told.user, told.params["left"]) == (cast.auditor, 1)


def test_of_two_silent_owners_the_one_who_used_it_last_stays(cast: Cast) -> None:
    second = second_owner(cast)
    Grant.objects.filter(user=second, tenant=cast.acme).update(last_used_at=timezone.now())
    review = begun(cast)
    due(review)
    ending.close_due()
    owners = Grant.objects.filter(tenant=cast.acme, role="tenant.owner", ended_at=None)
    assert [grant.user for grant in owners] == [second]


def test_what_ended_by_itself_is_over_and_not_ended_again(cast: Cast) -> None:
    soon = timezone.now() + timedelta(days=1)
    timed = give_grant(cast.actor("owner"), cast.shop, user=cast.guest, role="project.tester", ends_at=soon)
    review = begun(cast)
    line = line_of(review, "guest", "project.tester")
    Grant.objects.filter(pk=timed.pk).update(ended_at=timezone.now(), ended_by="owner")
    assert line not in services.deciding.answerable(cast.actor("owner"))
    with pytest.raises(Conflict):
        services.answer(cast.actor("owner"), line, keep=True)
    due(review)
    ending.close_due()
    line.refresh_from_db()
    assert line.state == "over"
    assert Grant.objects.get(pk=timed.pk).ended_by == "owner"


def test_what_the_identity_service_keeps_is_noted_to_be_ended_there(cast: Cast, settings: Any) -> None:
    settings.KEYSTONE = settings.KEYSTONE | {"url": "http://127.0.0.1:1/v3"}
    Grant.objects.filter(user__in=[cast.developer, cast.guest]).update(source="keystone")
    review = begun(cast)
    line = services.answer(cast.actor("owner"), line_of(review, "developer"), keep=False, reason="left")
    assert line.state == "elsewhere"
    due(review)
    ending.close_due()
    assert line_of(review, "guest").state == "elsewhere"
    assert Grant.objects.get(user=cast.guest).ended_at is None


def test_closing_early_only_when_all_is_answered(cast: Cast) -> None:
    review = begun(cast, roles=["project.guest"])
    with pytest.raises(Conflict) as early:
        services.close(cast.actor("auditor"), review)
    assert early.value.code == "lines_open"
    services.answer(cast.actor("owner"), line_of(review, "guest"), keep=True)
    assert services.close(cast.actor("auditor"), review).state == "closed"
    with pytest.raises(Conflict):
        services.answer(cast.actor("owner"), line_of(review, "guest"), keep=False, reason="late")


def test_called_off_nothing_ends_by_silence(cast: Cast) -> None:
    review = begun(cast)
    with pytest.raises(Denied):
        services.call_off(cast.actor("developer"), review, reason="x")
    with pytest.raises(Invalid):
        services.call_off(cast.actor("owner"), review, reason="")
    services.call_off(cast.actor("owner"), review, reason="begun by mistake")
    due_rows = ending.close_due()
    assert due_rows == 0
    assert not Grant.objects.filter(tenant=cast.acme).exclude(ended_at=None).exists()
    assert needs_count(cast.actor("owner")) == 0


def test_those_who_answer_are_told_at_the_start_and_a_day_before(cast: Cast) -> None:
    review = begun(cast)
    told = Notice.objects.filter(kind="review.started").values_list("user__username", "params__count")
    assert dict(told) == {"owner": 4, "auditor": 1}
    look_after_reviews()
    assert not Notice.objects.filter(kind="review.ends").exists()
    Review.objects.filter(pk=review.pk).update(ends_at=timezone.now() + timedelta(hours=23))
    for line in ("developer", "guest", "releaser", "auditor"):
        services.answer(cast.actor("owner"), line_of(review, line), keep=True)
    look_after_reviews()
    look_after_reviews()
    assert list(Notice.objects.filter(kind="review.ends").values_list("user__username", flat=True)) == ["auditor"]


def test_it_stands_under_what_needs_me(cast: Cast, browse: Browse, api: Api) -> None:
    review = begun(cast)
    found = needs(cast.actor("owner"))
    assert found.reviews == [(review, 4)]
    assert found.count == needs_count(cast.actor("owner")) == 4
    assert needs_count(cast.actor("developer")) == 0
    page = browse("owner").get("/requests/").content.decode()
    assert "Fourth quarter" in page
    assert "4 roles wait for your answers." in page
    told = api("owner").get("/api/v1/me/needs").json()
    assert (told["count"], told["reviews"][0]["open"]) == (4, 4)
