"""Rules about tags and about what stays: made and taken away by page and API, and what they say goes."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from images.keeping import services
from images.keeping.holding import held
from images.keeping.immutable import Protected
from images.keeping.models import RetentionRule, TagRule
from images.keeping.patterns import matches
from images.keeping.retaining import plan
from images.models import Artifact, ArtifactPulls, Repository, Tag
from images.registry.names import KINDS
from images.repositories.pulls import count
from operations.models import Operation
from tests.conftest import Cast
from tests.images import doors

API = "/api/v1/tenants/acme/projects/shop"
PAGE = "/t/acme/p/shop/settings/keeping/"


@pytest.fixture(autouse=True)
def registry(settings: Any) -> None:
    settings.REGISTRY = doors.SETTINGS


def as_(cast: Cast, name: str) -> Client:
    client = Client()
    client.force_login(getattr(cast, name))
    return client


def sent(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, data=json.dumps(body), content_type="application/json")


def put(cast: Cast, name: str, *tags: str, days: float = 0, size: int | None = 10) -> Artifact:
    path = f"acme/shop/{name}"
    home, _made = Repository.objects.get_or_create(
        path=path, defaults={"tenant": cast.acme, "project": cast.shop, "name": f"r/{path}"}
    )
    number = Artifact.objects.count()
    one = Artifact.objects.create(repository=home, digest=f"sha256:{number:064x}", pinned="x", size_bytes=size)
    at = timezone.now() - timedelta(days=days)
    Artifact.objects.filter(pk=one.pk).update(created_at=at)
    for tag in tags:
        Tag.objects.create(repository=home, artifact=one, name=tag, moved_at=at)
    return one


def going(cast: Cast) -> set[str]:
    return {line.artifact.digest for line in plan(cast.shop) if line.goes}


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "", True),
        ("*", "any/thing", True),
        ("v*", "v1", True),
        ("v*", "xv1", False),
        ("v?.*", "v1.0", True),
        ("v?.*", "v.0", False),
        ("*-rc", "1-rc", True),
        ("*a*b", "xaab", True),
        ("*ab*ab", "ab", False),
        ("1.0", "1x0", False),
        ("*?", "", False),
        ("*" * 5 + "x", "a" * 300, False),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


def test_tags_that_never_move_by_api(cast: Cast) -> None:
    owner = as_(cast, "owner")
    made = sent(owner, "post", f"{API}/tag-rules", {"repositories": "web*", "tags": "v*"})
    assert made.status_code == 201, made.content
    protected = Protected(cast.shop)
    assert protected.covers("web/api", "v1")
    assert not protected.covers("other", "v1")
    assert not protected.covers("web", "latest")
    assert sent(owner, "post", f"{API}/tag-rules", {"repositories": "web*", "tags": "v*"}).status_code == 409
    assert as_(cast, "developer").get(f"{API}/tag-rules").json()["results"][0]["tags"] == "v*"
    path = f"{API}/tag-rules/{made.json()['id']}"
    assert as_(cast, "developer").delete(path).status_code == 403
    assert as_(cast, "outsider").delete(path).status_code == 404
    assert owner.delete(path).status_code == 204
    assert not TagRule.objects.exists()
    said = AuditEntry.objects.filter(action__in=("image.protect_tags", "image.free_tags"), actor_id=cast.owner.pk)
    assert sorted(said.values_list("action", "result")) == [
        ("image.free_tags", "accepted"), ("image.protect_tags", "accepted"), ("image.protect_tags", "refused"),
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["", " ", "a b", "ä", "a" * 201, "*x*x*x*x*x*", "a\x00"])
def test_patterns_that_are_none(cast: Cast, wrong: str) -> None:
    answer = sent(as_(cast, "owner"), "post", f"{API}/tag-rules", {"repositories": wrong, "tags": "*"})
    assert answer.status_code == 422, answer.content
    assert not TagRule.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{}, {"newest": 0}, {"newest": -1}, {"days": 4000}, {"newest": 1, "deployed_days": 0}, {"tags": "a b"},
     {"newest": "1"}, {"newest": 1, "other": 1}, {"pulled_days": 0}, {"pulled_days": 400}],
)  # fmt: skip
def test_rules_that_say_nothing_of_use(cast: Cast, wrong: dict[str, Any]) -> None:
    answer = sent(as_(cast, "owner"), "post", f"{API}/retention", {"repositories": "*"} | wrong)
    assert answer.status_code == 422, answer.content
    assert not RetentionRule.objects.exists()


def test_without_a_rule_everything_stays(cast: Cast) -> None:
    put(cast, "web", "1", days=900)
    assert plan(cast.shop) == []
    services.retain(cast.actor("owner"), cast.shop, repositories="other", newest=1)
    assert plan(cast.shop) == []


def test_the_newest_the_young_and_the_named_stay(cast: Cast) -> None:
    old = [put(cast, "web", f"{number}", days=100 - number) for number in range(5)]
    young = put(cast, "web", "nightly", days=3)
    services.retain(cast.actor("owner"), cast.shop, repositories="web", newest=2, days=10, tags="1")
    assert going(cast) == {old[0].digest, old[2].digest, old[3].digest}
    reasons = {line.artifact.digest: line.reasons for line in plan(cast.shop)}
    assert reasons[young.digest] == ["it is among the newest 2", "it was pushed within 10 days"]
    assert reasons[old[1].digest] == ["its tag 1 is to stay"]


def test_each_repository_has_newest_ones_of_its_own_and_rules_add_up(cast: Cast) -> None:
    web, other = put(cast, "web", "1", days=90), put(cast, "other", "1", days=95)
    older = put(cast, "web", "0", days=99)
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=1)
    assert going(cast) == {older.digest}
    services.retain(cast.actor("owner"), cast.shop, repositories="w*", tags="0")
    assert going(cast) == set()
    assert {web.digest, other.digest, older.digest} == {line.artifact.digest for line in plan(cast.shop)}


def test_what_was_pulled_lately_stays(cast: Cast) -> None:
    often, once, never = (put(cast, "web", name, days=300) for name in ("often", "once", "never"))
    other = put(cast, "other", "1", days=300)
    for one, days in ((often, 200), (often, 30), (once, 31), (other, 1)):
        day = (timezone.now() - timedelta(days=days)).date()
        ArtifactPulls.objects.create(artifact=one, day=day, count=1)
    services.retain(cast.actor("owner"), cast.shop, repositories="web", pulled_days=30)
    services.retain(cast.actor("owner"), cast.shop, repositories="other", newest=1)
    assert going(cast) == {once.digest, never.digest}
    reasons = {line.artifact.digest: line.reasons for line in plan(cast.shop)}
    assert reasons[often.digest] == ["it was pulled within 30 days"]
    assert reasons[other.digest] == ["it is the newest"], "another rule says nothing of pulls"


def test_a_pull_that_the_registry_tells_of_keeps_an_image(cast: Cast) -> None:
    one = put(cast, "web", "1", days=300)
    services.retain(cast.actor("owner"), cast.shop, repositories="*", pulled_days=1)
    assert going(cast) == {one.digest}
    pulled = {
        "target": {"mediaType": next(iter(KINDS)), "repository": "acme/shop/web", "digest": one.digest},
        "request": {"method": "GET"},
        "actor": {"name": "system:1"},
    }
    assert not count(pulled), "Berth itself"
    assert going(cast) == {one.digest}
    assert count(pulled | {"actor": {"name": "user:1"}})
    assert going(cast) == set()


def test_what_has_no_tag_goes_but_not_at_once(cast: Cast) -> None:
    gone, fresh = put(cast, "web", days=2), put(cast, "web", days=0.5)
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=5)
    assert going(cast) == {gone.digest}
    assert plan(cast.shop)[1].artifact == fresh


def test_a_tag_that_never_moves_keeps_its_image(cast: Cast) -> None:
    one, other = put(cast, "web", "v1", days=90), put(cast, "web", "x", days=90)
    put(cast, "web", "new")
    services.protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="v*")
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=1)
    assert going(cast) == {other.digest}
    assert "never moves" in next(line for line in plan(cast.shop) if line.artifact == one).reasons[0]


def test_where_it_is_not_known_what_an_image_is_made_of_nothing_without_a_tag_goes(cast: Cast) -> None:
    put(cast, "web", "all", days=3, size=None)
    put(cast, "web", days=50)
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=1)
    assert going(cast) == set()


def test_what_another_project_runs_is_held_and_not_named(cast: Cast, running: Any) -> None:
    digest = running.release.images.values_list("digest", flat=True)[0]
    since = timezone.now() - timedelta(days=1)
    own, foreign = (held([digest], project, since=since)[digest] for project in (cast.shop, cast.store))
    assert any("hello consists of it in dev" in reason for reason in own)
    assert foreign
    assert not any("hello" in reason or "dev" in reason for reason in foreign)


def test_the_preview_and_the_start_by_page(cast: Cast) -> None:
    owner = as_(cast, "owner")
    gone = put(cast, "web", "old", days=90)
    put(cast, "web", "new")
    form = {"repositories": "*", "newest": "1", "days": "", "tags": "", "deployed_days": "90"}
    made = owner.post(f"{PAGE}retention/", form)
    assert (made.status_code, made.headers["Location"]) == (302, f"{PAGE}preview/")
    text = owner.get(f"{PAGE}preview/").content.decode()
    assert gone.digest[:19] in text
    assert "It goes." in text
    assert "it is the newest" in text
    told = owner.get(f"{API}/retention/preview").json()
    assert (told["goes"], told["stays"]) == (1, 1)
    assert (told["results"][0]["digest"], told["results"][0]["reasons"]) == (gone.digest, [])
    assert Artifact.objects.count() == 2, "looking removes nothing"
    assert owner.post(f"{PAGE}clean/").status_code == 302
    assert Operation.objects.get(kind="images.retain.run").project_id == cast.shop.pk
    assert owner.get(PAGE).status_code == 200
    assert sent(owner, "post", f"{API}/retention/run", {}).status_code == 409, "one at a time"


def test_rules_by_page(cast: Cast) -> None:
    owner = as_(cast, "owner")
    assert owner.post(f"{PAGE}tags/", {"repositories": "*", "tags": "v*"}).status_code == 302
    again = owner.post(f"{PAGE}tags/", {"repositories": "*", "tags": "v*"})
    assert again.status_code == 422
    assert "There is such a rule already." in again.content.decode()
    rule = TagRule.objects.get()
    text = owner.get(PAGE).content.decode()
    assert "<code>v*</code>" in text
    assert owner.post(f"{PAGE}tags/{rule.pk}/remove/").status_code == 302
    empty = owner.post(f"{PAGE}retention/", {"repositories": "*", "deployed_days": "90"})
    assert empty.status_code == 422
    assert "Say at least one thing that is to stay." in empty.content.decode()
    assert not RetentionRule.objects.exists()
    pulled = owner.post(f"{PAGE}retention/", {"repositories": "*", "pulled_days": "37", "deployed_days": "90"})
    assert pulled.status_code == 302
    kept = RetentionRule.objects.get()
    assert kept.pulled_days == 37
    assert "37" in owner.get(PAGE).content.decode()
    told = owner.get(f"{API}/retention").json()["results"]
    assert [(one["pulled_days"], one["days"]) for one in told] == [(37, None)]
    assert owner.post(f"{PAGE}retention/{kept.pk}/remove/").status_code == 302
    assert not RetentionRule.objects.exists()


def test_who_may_look_and_who_may_change(cast: Cast) -> None:
    developer = as_(cast, "developer")
    assert developer.get(PAGE).status_code == 200
    for path in ("tags/", "retention/", "clean/"):
        assert developer.post(f"{PAGE}{path}", {"repositories": "*", "tags": "*"}).status_code == 403
    assert as_(cast, "outsider").get(PAGE).status_code == 404
    assert as_(cast, "guest").get(PAGE).status_code == 403
    assert not TagRule.objects.exists()


def test_removing_without_a_rule_is_refused(cast: Cast) -> None:
    answer = sent(as_(cast, "owner"), "post", f"{API}/retention/run", {})
    assert answer.status_code == 409
    assert "no rule" in answer.json()["detail"]


def test_tidying_up_is_for_operators(cast: Cast) -> None:
    for name, status in (("owner", 403), ("auditor", 403), ("operator", 202)):
        assert sent(as_(cast, name), "post", "/api/v1/registry/collections", {}).status_code == status, name
    operator = as_(cast, "operator")
    assert sent(operator, "post", "/api/v1/registry/collections", {}).status_code == 409
    assert len(operator.get("/api/v1/registry/collections").json()["results"]) == 1
    text = operator.get("/registry/").content.decode()
    assert "Tidy up the registry" in text
    assert as_(cast, "owner").get("/registry/").status_code == 403
    assert operator.post("/registry/collect/cancel/").status_code == 302
    assert operator.post("/registry/collect/").status_code == 409


def test_without_a_registry_there_is_nothing_to_tidy(cast: Cast, settings: Any) -> None:
    settings.REGISTRY = doors.SETTINGS | {"url": ""}
    assert sent(as_(cast, "operator"), "post", "/api/v1/registry/collections", {}).status_code == 409
    assert "There is no registry here" in as_(cast, "operator").get("/registry/").content.decode()
