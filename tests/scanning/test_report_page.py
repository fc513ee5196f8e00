"""The report of an image as a page and over the API: what it tells, who may do what with it, and to whom it is told."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from core.clock import database_now
from images.models import AdvisoryFeed, Artifact, Excuse, Repository, Scan, ScanPackage
from images.scanning.renewing import renew
from images.scanning.selectors import latest_scans, standing
from images.scanning.services import end_excuse, excuse_finding
from operations.models import Operation
from portal.seed import operator_actor
from tests.conftest import Cast, Wakeups
from tests.scanning.advisories import CRITICAL, HIGH, advisory
from tests.scanning.conftest import Push, work
from tests.scanning.images import File, Made, deb, digest, layer
from tests.scanning.operator import debian, run
from tests.scanning.shelf import Shelf
from tests.scanning.test_secrets import key

pytestmark = pytest.mark.usefixtures("cast", "_no_tools")
PACKAGES = {
    **debian(deb("bash", "5.2-1"), deb("zlib1g", "1.2-1")),
    "usr/bin/su": File(b"x", 0o4755),
    "usr/share/doc/bash/copyright": "Format: x\n\nFiles: *\nLicense: GPL-3+\n",
}
ADVISORIES = (
    advisory("CVE-2026-1000", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL),
    advisory("CVE-2026-2000", "Debian:12", "zlib1g", vector=HIGH),
)
API = "/api/v1/tenants/acme/projects/shop/scans"


@pytest.fixture
def looked(pushed: Push, brought: Any) -> Artifact:
    """acme's image with two findings, a secret and a setuid file."""
    brought(*ADVISORIES)
    artifact, operation = pushed(Made([layer(PACKAGES)], commands=["RUN apt-get install bash"]))
    assert operation.state == "succeeded"
    return artifact


def page_of(artifact: Artifact, name: str = "image_scan", **more: Any) -> str:
    return reverse(name, kwargs={"tenant": "acme", "project": "shop", "artifact": artifact.pk, **more})


def given(**changed: Any) -> dict[str, Any]:
    until = (database_now() + timedelta(days=30)).date()
    return {"vulnerability": "CVE-2026-1000", "package": "", "reason": "Nobody reaches it", "until": until} | changed


def test_the_page_says_how_good_it_is_why_and_of_when(looked: Artifact, browse: Any) -> None:
    text = browse("developer").get(page_of(looked)).content.decode()
    for told in (
        "CVE-2026-1000", "5.3-1", "critical", "CVE-2026-2000", "no version", "RUN apt-get install bash",
        "usr/bin/su", "setuid", "GPL-3+", "they say none", looked.digest, "Debian GNU/Linux 12",
    ):  # fmt: skip
        assert told in text, told
    assert "unknown" not in text
    assert "The data is old" not in text
    AdvisoryFeed.objects.update(newest=database_now() - timedelta(days=15))
    renew(operator_actor(), [("Debian:12", "bash")])
    assert "The data is old" in browse("developer").get(page_of(looked)).content.decode()


def test_the_api_tells_the_same(looked: Artifact, api: Any) -> None:
    told = api("developer").get(f"{API}/{looked.pk}").json()
    assert (told["rating"], told["counts"]["critical"], told["counts"]["high"]) == ("F", 1, 1)
    assert (told["doubts"], told["data_is_old"], told["tool"]) == ([], False, "berth")
    assert told["special_files"] == [{"path": "usr/bin/su", "bits": "setuid", "layer": 1}]
    assert {one["licence"]: one["count"] for one in told["licences"]} == {"GPL-3+": 1, "": 1}
    assert told["operation"]["state"] == "succeeded"
    rows = api("developer").get(f"{API}/{looked.pk}/findings").json()["results"]
    assert [(one["vulnerability"], one["fixed"], one["layer"]) for one in rows] == [
        ("CVE-2026-1000", "5.3-1", 1),
        ("CVE-2026-2000", "", 1),
    ]
    assert rows[0]["command"] == "RUN apt-get install bash"
    bill = api("developer").get(f"{API}/{looked.pk}/sbom")
    assert bill["Content-Type"] == "application/vnd.cyclonedx+json"
    assert {one["name"] for one in json.loads(bill.content)["components"]} == {"bash", "zlib1g"}


@pytest.mark.parametrize(
    ("query", "found"),
    [("severity=high", ["CVE-2026-2000"]), ("search=BASH", ["CVE-2026-1000"]), ("search=nothing", [])],
)
def test_findings_are_narrowed(looked: Artifact, api: Any, browse: Any, query: str, found: list[str]) -> None:
    rows = api("developer").get(f"{API}/{looked.pk}/findings?{query}").json()["results"]
    assert [one["vulnerability"] for one in rows] == found
    text = browse("developer").get(f"{page_of(looked)}?{query}").content.decode()
    assert [one for one in ("CVE-2026-1000", "CVE-2026-2000") if f'<b class="thing">{one}' in text] == found
    assert api("developer").get(f"{API}/{looked.pk}/findings?severity=bad").status_code == 400


def test_long_lists_come_in_pages(pushed: Push, brought: Any, browse: Any, api: Any) -> None:
    brought(*(advisory(f"CVE-2026-{number}", "Debian:12", "bash") for number in range(1000, 1120)))
    artifact, _operation = pushed(Made([layer(PACKAGES)]))
    client = browse("developer")
    seen = set()
    for number in ("1", "2", "3"):
        text = client.get(f"{page_of(artifact)}?page={number}&severity=high").content.decode()
        seen |= {name for name in (f"CVE-2026-{at}" for at in range(1000, 1120)) if f">{name}<" in text}
        assert "of 120" in text
    assert len(seen) == 120
    first = api("developer").get(f"{API}/{artifact.pk}/findings?limit=100").json()
    second = api("developer").get(first["next"]).json()
    assert [len(one["results"]) for one in (first, second)] == [100, 20]
    assert client.get(f"{page_of(artifact)}?page=x").status_code == 200


def test_nobody_looked_is_unknown_and_never_clean(cast: Cast, browse: Any, api: Any) -> None:
    home = Repository.objects.create(tenant=cast.acme, project=cast.shop, path="acme/shop/web", name="x/acme/shop/web")
    artifact = Artifact.objects.create(repository=home, digest=digest(b"x"), pinned="x")
    assert standing(artifact).rating == "unknown"
    assert api("developer").get(f"{API}/{artifact.pk}").json()["rating"] == "unknown"
    assert "Nobody has looked through the image yet." in browse("developer").get(page_of(artifact)).content.decode()
    assert browse("developer").get(page_of(artifact, "image_scan_sbom")).status_code == 404
    assert latest_scans([artifact.pk]) == {}


def test_without_data_it_is_unknown_with_the_reason(pushed: Push, browse: Any) -> None:
    artifact, _operation = pushed(Made([layer(PACKAGES)]))
    text = browse("developer").get(page_of(artifact)).content.decode()
    assert "There are no advisories for Debian:12 (2 packages): import them." in text
    assert "never clean" in text
    assert standing(artifact).rating == "unknown"


def test_why_a_scan_came_to_no_end_stands_on_the_page(pushed: Push, shelf: Shelf, browse: Any, api: Any) -> None:
    made = Made([layer(PACKAGES)])
    shelf.lies[digest(made.laid()[0])] = "endless"
    artifact, _operation = pushed(made)
    text = browse("developer").get(page_of(artifact)).content.decode()
    assert "in the registry has another size than the image says." in text
    assert "Do not run this image." in text
    assert api("developer").get(f"{API}/{artifact.pk}").json()["operation"]["failure"]["code"] == "registry_size"


def test_an_excuse_by_page_counts_at_once_and_ends(looked: Artifact, browse: Any, cast: Cast) -> None:
    owner = browse("owner")
    linked = owner.get(f"{page_of(looked)}?vulnerability=CVE-2026-1000&package=bash").content.decode()
    assert 'value="CVE-2026-1000"' in linked
    answer = owner.post(page_of(looked, "image_scan_excuse"), given(package="bash"))
    assert (answer.status_code, answer["Location"]) == (302, page_of(looked))
    now = standing(looked)
    assert (now.rating, now.counts["excused"], now.counts["critical"]) == ("D", 1, 0)
    text = owner.get(page_of(looked)).content.decode()
    assert "Nobody reaches it" in text
    row = Excuse.objects.get()
    assert (row.given_by, row.package) == ("owner", "bash")
    owner.post(page_of(looked, "image_scan_end_excuse", excuse=row.pk))
    assert standing(looked).rating == "F"
    done = AuditEntry.objects.filter(result="accepted", action__in=["image.excuse_finding", "image.end_excuse"])
    assert done.count() == 2


def test_an_excuse_ends_by_itself_and_with_it_the_better_letter(looked: Artifact, cast: Cast) -> None:
    excuse_finding(cast.actor("owner"), looked.repository, **given())
    assert standing(looked).rating == "D"
    renew(operator_actor(), [("Debian:12", "bash")])
    assert standing(looked).rating == "D"
    Excuse.objects.update(until=date(2026, 1, 1))
    assert standing(looked).rating == "F", "also of a scan that was written while it held"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"reason": "no"}, "in a sentence"), ({"until": "2040-01-01"}, "within a year"), ({"until": "x"}, "valid date")],
)
def test_what_is_wrong_stands_beside_its_field(looked: Artifact, browse: Any, wrong: Any, said: str) -> None:
    answer = browse("owner").post(page_of(looked, "image_scan_excuse"), given(**wrong))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Excuse.objects.exists()


def test_excuses_over_the_api(looked: Artifact, api: Any) -> None:
    owner = api("owner")
    made = owner.post(f"{API}/{looked.pk}/excuses", given() | {"until": given()["until"].isoformat()}, format="json")
    assert made.status_code == 201, made.content
    assert [one["id"] for one in owner.get(f"{API}/{looked.pk}/excuses").json()["results"]] == [made.json()["id"]]
    found = owner.get(f"{API}/{looked.pk}/findings").json()["results"][0]["excused"]
    assert (found["given_by"], found["reason"]) == ("owner", "Nobody reaches it")
    assert owner.delete(made["Location"]).status_code == 204
    assert owner.delete(made["Location"]).status_code == 409
    assert owner.get(f"{API}/{looked.pk}/excuses").json()["results"] == []
    bad = owner.post(f"{API}/{looked.pk}/excuses", {"vulnerability": "x", "reason": "y" * 20}, format="json")
    assert bad.status_code == 422


@pytest.mark.parametrize("who", ["developer", "releaser", "guest", "auditor", "outsider"])
def test_only_who_manages_the_tenant_excuses(looked: Artifact, api: Any, browse: Any, who: str, cast: Cast) -> None:
    row = excuse_finding(cast.actor("owner"), looked.repository, **given())
    body = given() | {"until": given()["until"].isoformat()}
    wanted = {404} if who in ("outsider", "auditor") else {403}
    assert api(who).post(f"{API}/{looked.pk}/excuses", body, format="json").status_code in wanted
    assert api(who).delete(f"{API}/{looked.pk}/excuses/{row.pk}").status_code in wanted
    assert browse(who).post(page_of(looked, "image_scan_excuse"), given()).status_code in wanted
    assert browse(who).post(page_of(looked, "image_scan_end_excuse", excuse=row.pk)).status_code in wanted
    assert Excuse.objects.get().ended_at is None
    end_excuse(cast.actor("owner"), row)


def test_whoever_may_push_may_ask_for_a_scan(
    looked: Artifact, api: Any, browse: Any, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = api("developer").post(f"{API}/{looked.pk}")
    assert answer.status_code == 202
    assert api("developer").post(f"{API}/{looked.pk}").status_code == 409, "it is under way"
    assert api("developer").post(f"{API}/{looked.pk}?dry_run=true").status_code == 409
    assert "Scan the image" in browse("developer").get(page_of(looked)).content.decode()
    work(wakeups, django_capture_on_commit_callbacks)
    assert Operation.objects.get(pk=answer.json()["id"]).state == "succeeded"
    assert looked.scans.count() == 2
    assert ScanPackage.objects.values("scan").distinct().count() == 1, "packages are kept once"
    with django_capture_on_commit_callbacks(execute=True):
        assert browse("developer").post(page_of(looked, "image_scan_run")).status_code == 302
    assert Operation.objects.filter(state="pending").count() == 1


@pytest.mark.parametrize(("who", "status"), [("guest", 403), ("auditor", 404), ("outsider", 404)])
def test_nobody_else_may(looked: Artifact, api: Any, browse: Any, who: str, status: int) -> None:
    assert api(who).post(f"{API}/{looked.pk}").status_code == status
    assert browse(who).post(page_of(looked, "image_scan_run")).status_code == status
    assert not Operation.objects.filter(state="pending").exists()


def test_what_does_not_lie_in_the_registry_is_not_asked_for(cast: Cast, api: Any) -> None:
    home = Repository.objects.create(tenant=cast.acme, project=cast.shop, name="shop/elsewhere")
    artifact = Artifact.objects.create(repository=home, digest=digest(b"x"), pinned="x")
    answer = api("developer").post(f"{API}/{artifact.pk}")
    assert answer.status_code == 422
    assert "scan_image" in answer.json()["hint"]


def test_another_tenant_reads_of_an_open_image_but_not_who_answers_for_it(
    looked: Artifact, cast: Cast, api: Any, browse: Any
) -> None:
    excuse_finding(cast.actor("owner"), looked.repository, **given())
    theirs = "/api/v1/tenants/globex/projects/store/scans"
    assert api("outsider").get(f"{theirs}/{looked.pk}").status_code == 404
    Repository.objects.filter(pk=looked.repository_id).update(visible="everyone")
    told = api("outsider").get(f"{theirs}/{looked.pk}")
    assert (told.status_code, told.json()["rating"], told.json()["operation"]) == (200, "D", None)
    found = api("outsider").get(f"{theirs}/{looked.pk}/findings").json()["results"][0]["excused"]
    assert (found["reason"], found["given_by"]) == ("", "")
    assert api("outsider").get(f"{theirs}/{looked.pk}/excuses").json()["results"] == []
    names = {"tenant": "globex", "project": "store", "artifact": looked.pk}
    text = browse("outsider").get(reverse("image_scan", kwargs=names)).content.decode()
    assert "Nobody reaches it" not in text
    assert "owner" not in text.split("<main")[1].split("</main")[0].replace("owner or admin", "").replace("owner’s", "")
    assert api("outsider").post(f"{theirs}/{looked.pk}").status_code == 403
    assert (
        api("outsider").post(f"{theirs}/{looked.pk}/excuses", given(until="2026-12-01"), format="json").status_code
        == 403
    )


def test_the_page_of_the_image_shows_the_letter_and_leads_to_the_report(looked: Artifact, browse: Any) -> None:
    looked.tags.create(repository=looked.repository, name="1")
    names = {"tenant": "acme", "project": "shop", "repository": looked.repository.path.rpartition("/")[2]}
    text = browse("developer").get(reverse("image_digest", kwargs=names | {"digest": looked.digest})).content.decode()
    assert f'<a href="{page_of(looked)}">' in text
    assert 'title="Scan rating F">F<' in text


def test_a_secret_is_named_and_makes_the_worst_letter(pushed: Push, brought: Any, browse: Any) -> None:
    brought(*ADVISORIES)
    text_of_key = key("RSA PRIVATE KEY")
    artifact, _operation = pushed(Made([layer({**debian(deb("curl", "1-1")), "root/.ssh/id_rsa": text_of_key})]))
    text = browse("developer").get(page_of(artifact)).content.decode()
    assert "root/.ssh/id_rsa" in text
    assert "private key" in text
    assert text_of_key.splitlines()[1] not in text
    assert standing(artifact).rating == "F"


def test_several_platforms_are_as_bad_as_the_worst_and_unknown_while_one_is(
    pushed: Push, shelf: Shelf, brought: Any, browse: Any, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    brought(*ADVISORIES)
    made = [Made([layer(debian(deb("curl", "1-1")))]), Made([layer(debian(deb("bash", "5.2-1")))])]
    listed = [
        {"digest": shelf.put(one), "platform": {"os": "linux", "architecture": name}}
        for one, name in zip(made, ("amd64", "arm64"), strict=True)
    ]
    known = shelf.add(json.dumps({"schemaVersion": 2, "manifests": listed}).encode())
    artifact, _operation = pushed(known)
    work(wakeups, django_capture_on_commit_callbacks)
    assert standing(artifact).rating == "F"
    text = browse("developer").get(page_of(artifact)).content.decode()
    assert "linux/arm64" in text
    Scan.objects.filter(artifact__digest=listed[1]["digest"]).delete()
    assert standing(artifact).rating == "unknown"


def test_new_advisories_change_the_letter_and_tell_it(looked: Artifact, brought: Any) -> None:
    said = brought(*ADVISORIES, advisory("CVE-2026-3000", "Debian:12", "zlib1g", fixed="2-1", vector=CRITICAL))
    assert "compared again" in said
    assert standing(looked).counts["critical"] == 2
    assert run("import_vulnerabilities").startswith("Debian:12: 3 advisories")
