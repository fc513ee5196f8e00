"""Access reviews by pages and over HTTP, and that strangers see nothing of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import NotFound
from tenants.models import Review, ReviewLine
from tenants.reviews import results, selectors, services
from tests.conftest import Cast
from tests.tenants.test_reviews import begun, line_of

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]
R = "/api/v1/tenants/acme/reviews"


def test_strangers_see_nothing_of_it(cast: Cast, api: Api, browse: Browse) -> None:
    review = begun(cast)
    for name in ("outsider", "operator", "guest"):
        with pytest.raises(NotFound):
            selectors.review(cast.actor(name), cast.acme, review.pk)
    assert api("outsider").get(f"{R}/{review.pk}").status_code == 404
    assert browse("guest").get(f"/t/acme/members/reviews/{review.pk}/").status_code == 404
    assert browse("guest").get("/t/acme/members/reviews/").status_code == 403
    other = services.start(
        cast.actor("outsider"), cast.globex, name="theirs", ends_at=timezone.now() + timedelta(days=1)
    )
    mine, theirs = line_of(review, "guest"), other.lines.get()
    sent = {"lines": [str(mine.pk), str(theirs.pk)], "answer": "keep"}
    refused = api("owner").post(f"{R}/{review.pk}/answers", sent, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "lines")
    assert ReviewLine.objects.get(pk=mine.pk).state == "open"


def test_over_http(cast: Cast, api: Api) -> None:
    body = {"name": "Q4", "ends_at": (timezone.now() + timedelta(days=3)).isoformat()}
    assert api("developer").post(R, body, format="json").status_code == 403
    auditor, owner = api("auditor"), api("owner")
    made = auditor.post(R, body, format="json")
    assert (made.status_code, made.json()["lines"]["open"]) == (201, 5)
    one = f"{R}/{made.json()['id']}"
    assert made["Location"] == one
    assert [row["id"] for row in auditor.get(R).json()["results"]] == [made.json()["id"]]
    mine = owner.get(f"{one}/lines?show=mine").json()["results"]
    assert [row["person"] for row in mine] == ["auditor", "developer", "guest", "releaser"]
    ids = [row["id"] for row in mine[:2]]
    answered = owner.post(f"{one}/answers", {"lines": ids, "answer": "keep"}, format="json").json()
    assert (sorted(answered["done"]), answered["refused"]) == (sorted(ids), [])
    rest = owner.get(f"{one}/lines?show=open").json()["results"]
    sent = {"lines": [row["id"] for row in rest], "answer": "end", "reason": "left"}
    answered = owner.post(f"{one}/answers", sent, format="json").json()
    assert [row["person"] for row in answered["refused"]] == ["owner"]
    assert len(answered["done"]) == 2
    assert owner.post(f"{one}/close").json()["code"] == "lines_open"
    only = {"lines": [row["id"] for row in rest if row["person"] == "owner"], "answer": "keep"}
    assert auditor.post(f"{one}/answers", only, format="json").json()["refused"] == []
    closed = auditor.post(f"{one}/close").json()
    assert (closed["state"], closed["lines"]) == ("closed", {"whole": 5, "open": 0, "kept": 3, "ended": 2, "left": 0})
    assert auditor.get(f"{one}/verify").json()["holds"] is True
    for format_, digest in (("jsonl", "digest"), ("csv", "csv_digest")):
        file = auditor.get(f"{one}/result?format={format_}")
        assert results.digest(file.content) == closed[digest]


def test_by_the_pages(cast: Cast, browse: Browse) -> None:
    client = browse("auditor")
    ends = timezone.localtime(timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert client.post("/t/acme/members/reviews/", {"name": "", "ends_at": ends}).status_code == 422
    made = client.post("/t/acme/members/reviews/", {"name": "Q4", "ends_at": ends})
    review = Review.objects.get()
    address = f"/t/acme/members/reviews/{review.pk}/"
    assert made["Location"] == address
    assert "1 role waits for your answer." in client.get(address).content.decode()
    client = browse("owner")
    guest, developer = line_of(review, "guest"), line_of(review, "developer")
    page = client.get(f"{address}?show=mine").content.decode()
    assert "Keep guest of guest" in page
    assert "End developer of developer" in page
    refused = client.post(f"{address}answer/", {"drop": str(guest.pk)})
    assert refused.status_code == 422
    assert "Say why it ends" in refused.content.decode()
    assert client.post(f"{address}answer/", {"drop": "chosen"}).status_code == 422
    assert client.post(f"{address}answer/", {"drop": "nonsense"}).status_code == 400
    done = client.post(f"{address}answer/?show=mine", {"drop": str(guest.pk), "reason": "left"})
    assert done["Location"] == f"{address}?show=mine"
    chosen = [str(developer.pk), str(line_of(review, "releaser").pk), str(line_of(review, "auditor").pk)]
    assert client.post(f"{address}answer/", {"keep": "chosen", "line": chosen}).status_code == 302
    assert "Close now" not in client.get(address).content.decode()
    browse("auditor").post(f"{address}answer/", {"keep": str(line_of(review, "owner").pk)})
    assert client.post(f"{address}close/").status_code == 302
    page = client.get(address).content.decode()
    review.refresh_from_db()
    assert "The result is what was sealed" in page
    assert review.digest in page
    assert "4 kept, 1 ended." in page
    file = client.get(f"{address}result/?format=csv")
    assert file["Content-Disposition"].startswith("attachment")
    assert results.digest(file.content) == review.csv_digest


def test_calling_off_by_the_page(cast: Cast, browse: Browse) -> None:
    review = begun(cast)
    address = f"/t/acme/members/reviews/{review.pk}/"
    client = browse("owner")
    assert client.post(f"{address}call-off/", {"reason": ""}).status_code == 422
    assert client.post(f"{address}call-off/", {"reason": "mistake"}).status_code == 302
    assert "Called off" in client.get(address).content.decode()
