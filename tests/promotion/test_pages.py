"""The way of an image on pages and by the API: asked for, answered, seen, kept and withdrawn."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from apps.services import deploy
from apps.specification import from_image
from images.models import Artifact, Tag
from images.promotion.models import Approval, Evidence, Promotion, StagePolicy
from images.scanning.models import ScanPackage
from operations.models import Operation
from tenants.models import Grant, Token
from tests.conftest import Cast, person, with_token
from tests.promotion.laid import Registry
from tests.promotion.stages import ADDRESS, approved, asked, digest_of, gated, place_in, pushed, scanned

Browse = Callable[[str], Client]
Api = Callable[[str], APIClient]
Done = Callable[[Callable[[], Any]], Operation]
PAGE = "/t/acme/p/shop/promotion/"
P = "/api/v1/tenants/acme/projects/shop"
POLICY = {"stage": "prod", "approvers": "1", "rating": "B", "valid_days": "30", "deed": "set"}


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_without_a_policy_the_page_says_so(cast: Cast, browse: Browse) -> None:
    page = text(browse("developer").get(PAGE))
    assert "No stage of this project asks for an approval" in page
    assert page.count("takes every image") == 3


def test_a_policy_is_set_and_ended(cast: Cast, browse: Browse) -> None:
    client = browse("owner")
    assert client.post(f"{PAGE}policy/", POLICY).headers["Location"] == PAGE
    row = StagePolicy.objects.get()
    assert (row.stage, row.approvers, row.rating, row.valid_days) == ("prod", 1, "B", 30)
    page = text(client.get(PAGE))
    assert "1 person has to approve, scan B or better, for 30 days" in page
    wrong = client.post(f"{PAGE}policy/", POLICY | {"approvers": "9"})
    assert wrong.status_code == 422
    assert client.post(f"{PAGE}policy/", {"stage": "prod", "deed": "end"}).status_code == 302
    assert not StagePolicy.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("developer", 403), ("releaser", 403), ("outsider", 404)])
def test_who_may_not_sets_no_policy(cast: Cast, browse: Browse, who: str, status: int) -> None:
    assert browse(who).post(f"{PAGE}policy/", POLICY).status_code == status
    assert not StagePolicy.objects.exists()


def test_asked_answered_and_seen(cast: Cast, browse: Browse) -> None:
    gated(cast)
    image = pushed(cast, "a", by="developer")
    client = browse("developer")
    form = text(client.get(f"{PAGE}ask/?stage=prod&digest={image.digest}"))
    assert f'<option value="{image.pk}" selected>' in form
    sent = client.post(f"{PAGE}ask/", {"image": str(image.pk), "stage": "prod", "reason": "all checks passed"})
    request = Promotion.objects.get()
    assert sent.headers["Location"] == f"{PAGE}{request.pk}/"
    assert client.post(f"{PAGE}ask/", {"image": str(image.pk), "stage": "prod"}).status_code == 422
    page = text(client.get(sent.headers["Location"]))
    assert "This needs “image.approve” here" in page
    assert "0 of 1 approval is there." in page
    assert client.post(f"{PAGE}{request.pk}/decide/", {"deed": "approve"}).status_code == 403
    own = Promotion.objects.filter(pk=request.pk)
    own.update(asked_by=cast.releaser)
    client = browse("releaser")
    assert "You asked for it: somebody else decides." in text(client.get(f"{PAGE}{request.pk}/"))
    own.update(asked_by=cast.developer)
    assert "all checks passed" in text(client.get(f"{PAGE}{request.pk}/"))
    assert client.post(f"{PAGE}{request.pk}/decide/", {"deed": "sell"}).status_code == 400
    assert client.post(f"{PAGE}{request.pk}/decide/", {"deed": "approve", "reason": "good"}).status_code == 302
    assert client.post(f"{PAGE}{request.pk}/decide/", {"deed": "approve"}).status_code == 409
    page = text(client.get(PAGE))
    assert "nowhere" in page
    row = Approval.objects.get()
    assert client.post(f"{PAGE}approvals/{row.pk}/suspend/", {"reason": "a hole"}).status_code == 302
    assert "releaser withdrew the approval: “a hole”" in text(client.get(PAGE))


def test_taken_back_by_who_asked(cast: Cast, browse: Browse) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"))
    assert browse("releaser").post(f"{PAGE}{request.pk}/withdraw/").status_code == 403
    assert browse("developer").post(f"{PAGE}{request.pk}/withdraw/").status_code == 302
    request.refresh_from_db()
    assert request.state == "withdrawn"


def test_what_differs_from_what_runs_there(cast: Cast, shelf: Registry, browse: Browse, api: Api, done: Done) -> None:
    old = pushed(cast, "a")
    Artifact.objects.filter(pk=old.pk).update(
        labels={"version": "1"}, layers=[{"digest": "sha256:one", "size": 5}], size_bytes=5
    )
    prod = place_in(cast, "prod")
    spec = from_image(f"{ADDRESS}/acme/shop/web:1", name="web")
    assert done(lambda: deploy(cast.actor("releaser"), prod, spec=spec)).state == "succeeded"
    new = pushed(cast, "b")
    layers = [{"digest": "sha256:one", "size": 5}, {"digest": "sha256:two", "size": 7}]
    Artifact.objects.filter(pk=new.pk).update(labels={"version": "2"}, layers=layers, size_bytes=12)
    for image, version in ((old, "1.0"), (new, "1.1")):
        ScanPackage.objects.create(scan=scanned(image, "A"), kind="deb", name="openssl", version=version)
    gated(cast)
    request = asked(cast, new)
    found = api("releaser").get(f"{P}/promotions/{request.pk}").json()["difference"]
    assert found["labels"] == [{"name": "version", "before": "1", "after": "2"}]
    assert found["layers"] == {"shared": 1, "new": 1, "gone": 0, "new_bytes": 7}
    assert found["packages"] == [{"name": "deb openssl", "before": "1.0", "after": "1.1"}]
    page = text(browse("releaser").get(f"{PAGE}{request.pk}/"))
    assert "1 shared, 1 new, 0 gone" in page
    assert "deb openssl" in page


def test_the_passport_holds_what_was_seen_at_the_time_and_can_be_kept(cast: Cast, browse: Browse, api: Api) -> None:
    gated(cast, rating="B")
    image = pushed(cast, "a", by="developer")
    Artifact.objects.filter(pk=image.pk).update(
        labels={"org.opencontainers.image.source": "https://git.test/web", "other": "x"}
    )
    scanned(image, "B")
    tester = person("tess")
    Grant.objects.create(user=tester, role="project.tester", tenant=cast.acme, project=cast.shop)
    client = browse("developer")
    client.force_login(tester)
    address = f"/t/acme/p/shop/passports/{image.digest}/"
    said = {"kind": "text", "passed": "yes", "text": "26 of 26 checks passed"}
    assert client.post(address, said).headers["Location"] == address
    assert client.post(address, said | {"kind": "link"}).status_code == 422
    assert client.post(address, said | {"kind": "file", "text": "sha256:1"}).status_code == 422
    approved(cast, image)
    scanned(image, "E")
    kept = client.get(f"{address}file/")
    assert kept.headers["Content-Disposition"].startswith("attachment")
    document = json.loads(kept.content)
    assert document["scan"]["rating"] == "E"
    assert document["promotions"][0]["decisions"][0]["scan"]["rating"] == "B"
    assert document["builders"] == ["developer"]
    assert document["origin"] == {"source": "https://git.test/web"}
    assert [(one["text"], one["added_by"]) for one in document["evidence"]] == [("26 of 26 checks passed", "tess")]
    assert document == api("developer").get(f"{P}/passports/{image.digest}").json()
    page = text(client.get(address))
    for word in ("26 of 26 checks passed", "https://git.test/web", "releaser approved it"):
        assert word in page
    assert client.get("/t/acme/p/shop/passports/sha256:no/").status_code == 404


def test_only_who_works_with_it_adds_to_a_passport(cast: Cast, browse: Browse, api: Api) -> None:
    image = pushed(cast, "a")
    body = {"kind": "text", "passed": False, "text": "it does not start"}
    assert api("auditor").post(f"{P}/passports/{image.digest}/evidence", body, "json").status_code in (403, 404)
    assert api("guest").post(f"{P}/passports/{image.digest}/evidence", body, "json").status_code == 403
    assert not Evidence.objects.exists()
    made = api("developer").post(f"{P}/passports/{image.digest}/evidence", body, "json")
    assert (made.status_code, made.json()["passed"]) == (201, False)


def test_the_same_by_the_api(cast: Cast, api: Api) -> None:
    image = pushed(cast, "a")
    owner, developer, releaser = api("owner"), api("developer"), api("releaser")
    assert developer.put(f"{P}/stages/prod/policy", {"approvers": 1}, "json").status_code == 403
    assert owner.put(f"{P}/stages/moon/policy", {}, "json").status_code == 404
    rule = owner.put(f"{P}/stages/prod/policy", {"approvers": 1, "valid_days": 7}, "json")
    assert (rule.status_code, rule.json()["by_approval"], rule.json()["environments"]) == (200, True, ["prod"])
    stale = owner.put(f"{P}/stages/prod/policy", {"approvers": 2}, "json", headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    body = {"stage": "prod", "digest": image.digest, "reason": "please"}
    assert api("guest").post(f"{P}/promotions", body, "json").status_code == 403
    made = developer.post(f"{P}/promotions", body, "json")
    assert made.status_code == 201
    again = developer.post(f"{P}/promotions", body, "json")
    assert (again.status_code, again.json()["code"]) == (409, "asked_already")
    missing = developer.post(f"{P}/promotions", body | {"digest": digest_of("f")}, "json")
    assert missing.status_code == 404
    address = f"{P}/promotions/{made.json()['id']}"
    assert developer.post(f"{address}/approve", {}, "json").status_code == 403
    done = releaser.post(f"{address}/approve", {"reason": "good"}, "json").json()
    assert (done["state"], done["decisions"][0]["person"]) == ("approved", "releaser")
    listed = releaser.get(f"{P}/approvals").json()["results"]
    assert [(one["digest"], one["suspended_at"]) for one in listed] == [(image.digest, None)]
    gone = releaser.post(f"{P}/approvals/{listed[0]['id']}/suspend", {"reason": "a hole"}, "json").json()
    assert gone["why"] == "releaser withdrew the approval: “a hole”"
    assert [one["state"] for one in developer.get(f"{P}/promotions?state=approved").json()["results"]] == ["approved"]
    assert developer.get(f"{P}/promotions?state=open").json()["results"] == []
    assert owner.delete(f"{P}/stages/prod/policy").status_code == 204
    assert not any(one["by_approval"] for one in owner.get(f"{P}/stages").json()["results"])


def test_refused_and_withdrawn_by_the_api(cast: Cast, api: Api) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"))
    answer = api("releaser").post(f"{P}/promotions/{request.pk}/refuse", {"reason": "no"}, "json")
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    request = asked(cast, pushed(cast, "a"))
    assert api("releaser").post(f"{P}/promotions/{request.pk}/withdraw").status_code == 403
    assert api("developer").post(f"{P}/promotions/{request.pk}/withdraw").json()["state"] == "withdrawn"


@pytest.fixture
def tester(cast: Cast) -> Any:
    found = person("tess")
    Grant.objects.create(user=found, role="project.tester", tenant=cast.acme, project=cast.shop)
    return found


def test_who_only_tests_sees_what_was_released_to_test(
    cast: Cast, browse: Browse, tester: Any, place: AppEnvironment
) -> None:
    ready, fresh = pushed(cast, "a", tag="ready"), pushed(cast, "b", tag="fresh")
    client = browse("developer")
    client.force_login(tester)
    address = "/t/acme/p/shop/deploy/?app=hello&environment=test&search=acme"
    assert "web:fresh" in text(client.get(address))  # the test stage asks for nothing yet
    gated(cast, "test")
    approved(cast, ready, "test")
    page = text(client.get(address))
    assert "web:ready" in page
    assert "web:fresh" not in page
    assert "web:fresh" in text(browse("developer").get(address.replace("test", "dev", 1)))
    assert Tag.objects.filter(artifact=fresh).exists()


def test_who_only_tests_lists_what_was_released_to_test_by_the_api(cast: Cast, tester: Any) -> None:
    ready = pushed(cast, "a", tag="ready")
    pushed(cast, "b", tag="fresh")
    gated(cast, "test")
    approved(cast, ready, "test")
    _token, key = Token.objects.create(tester, name="t")
    names = with_token(key).get(f"{P}/images/{ADDRESS}/acme/shop/web/tags").json()["results"]
    assert [one["name"] for one in names] == ["ready"]
