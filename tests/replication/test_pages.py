"""Registries elsewhere, copies and rules on their pages and in the API: what is shown, asked for, refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.secrets import Secret
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun
from operations.models import Operation
from tests.conftest import Cast
from tests.replication.depots import PASSWORD, USER, Depot

Browse = Callable[[str], Client]
Api = Callable[[str], APIClient]
Worked = Callable[..., Any]
P = "/t/acme/p/shop/"
A = "/api/v1/tenants/acme/projects/shop"
REGISTRIES, COPIES, RULES = f"{P}settings/registries/", f"{P}image-copies/", f"{P}replication/"
LAYER = b"of a page" * 500


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_registry_is_asked_before_it_is_kept_and_its_password_never_shown(
    cast: Cast, browse: Browse, elsewhere: Depot
) -> None:
    client = browse("owner")
    asked = {"name": "depot", "address": elsewhere.url, "user": USER, "password": "wrong"}
    refused = client.post(REGISTRIES, asked)
    assert refused.status_code == 422
    assert "does not let us" in text(refused)
    assert not RemoteRegistry.objects.exists()
    assert client.post(REGISTRIES, asked | {"password": PASSWORD}).status_code == 302
    row = RemoteRegistry.objects.get()
    assert row.secret == Secret(PASSWORD)  # type: ignore[comparison-overlap]
    for page in (REGISTRIES, f"{REGISTRIES}depot/"):
        said = text(client.get(page))
        assert elsewhere.url in said
        assert PASSWORD not in said
    assert client.post(f"{REGISTRIES}depot/check/", follow=True).status_code == 200
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_another_address_forgets_the_password(
    cast: Cast, browse: Browse, remote: RemoteRegistry, tmp_path: Any
) -> None:
    """Abuse 35: the masked field stays empty, and the old password is not sent to the new host."""
    other = Depot(tmp_path / "other").start()
    try:
        form = {"address": remote.address, "user": USER, "password": "", "signs_in_at": ""}
        assert browse("owner").post(f"{REGISTRIES}elsewhere/", form).status_code == 302
        remote.refresh_from_db()
        assert remote.secret, "the same address keeps it"
        assert browse("owner").post(f"{REGISTRIES}elsewhere/", form | {"address": other.url}).status_code == 302
    finally:
        other.kill()
    remote.refresh_from_db()
    assert (remote.address, bool(remote.secret)) == (other.url, False)


def test_another_place_to_sign_in_forgets_it_too(cast: Cast, api: Api, remote: RemoteRegistry) -> None:
    answer = api("owner").patch(f"{A}/registries/elsewhere", {"signs_in_at": "127.0.0.2:5000"}, format="json")
    assert (answer.status_code, answer.json()["has_password"]) == (200, False)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254", "https://10.0.0.1", "http://0x7f.1", "https://[::1]", "https://[::ffff:10.0.0.1]",
        "https://fd00::1", "file:///etc/passwd", "gopher://x", "https://u:p@example.com", "http://ok@10.0.0.1",
        "https://10.0.0.1:22", "https://no.such.name.invalid", "https://example.com/path", "", "https://",
    ],
)  # fmt: skip
def test_addresses_that_are_not_called(cast: Cast, api: Api, address: str) -> None:
    """Abuse 32."""
    answer = api("owner").post(f"{A}/registries", {"name": "bad", "address": address}, format="json")
    assert answer.status_code == 422, answer.content
    assert not RemoteRegistry.objects.exists()


def test_only_who_manages_the_project_changes_registries_and_rules(
    cast: Cast, browse: Browse, api: Api, remote: RemoteRegistry
) -> None:
    for name, status in (("developer", 403), ("releaser", 403), ("guest", 403), ("outsider", 404)):
        client = browse(name)
        for page, body in (
            (REGISTRIES, {"name": "x", "address": "x"}),
            (f"{REGISTRIES}elsewhere/", {"address": "x"}),
            (f"{REGISTRIES}elsewhere/remove/", {}),
            (f"{REGISTRIES}elsewhere/check/", {}),
            (RULES, {"name": "x"}),
        ):
            assert client.post(page, body).status_code == status, (name, page)
        got = api(name).post(
            f"{A}/replication", {"name": "x", "registry": "elsewhere", "direction": "pull"}, format="json"
        )
        assert got.status_code == status
    assert RemoteRegistry.objects.count() == 1
    assert not ReplicationRule.objects.exists()
    assert browse("developer").get(REGISTRIES).status_code == 200
    assert browse("guest").get(REGISTRIES).status_code == 403


def test_a_copy_is_asked_for_on_the_page_and_watched(
    cast: Cast, browse: Browse, home: Any, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/page", "1", LAYER)
    client = browse("developer")
    form = {"image": f"{elsewhere.host}/team/page:1", "name": "page", "tag": ""}
    answer = worked(lambda: client.post(COPIES, form))
    copy = ImageCopy.objects.get()
    assert answer["Location"] == f"{COPIES}{copy.pk}/"
    said = text(client.get(answer["Location"]))
    for part in ("team/page:1", "acme/shop/page:1", "copied", copy.digest, "2 of 2 layers"):
        assert part in said
    assert "team/page:1" in text(client.get(COPIES))
    fragment = client.get(answer["Location"], headers={"HX-Request": "true"})
    assert "<html" not in text(fragment)
    assert "Copy an image" in text(client.get(f"{P}activity/"))
    assert client.post(COPIES, form | {"image": "no such name!"}).status_code == 422
    assert client.post(COPIES, form | {"name": "../../globex"}).status_code == 422


def test_who_may_not_push_does_not_copy(cast: Cast, browse: Browse, api: Api, home: Any) -> None:
    body = {"image": "quay.io/team/web:1", "name": "web"}
    for name, status in (("releaser", 403), ("guest", 403), ("outsider", 404)):
        assert browse(name).post(COPIES, body).status_code == status
        assert api(name).post(f"{A}/image-copies", body, format="json").status_code == status
    assert not ImageCopy.objects.exists()
    assert AuditEntry.objects.filter(action="image.copy", result="denied", actor_name="releaser").count() == 2


def test_the_api_copies_and_tells_how_far_it_is(
    cast: Cast, api: Api, home: Any, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/api", "1", LAYER)
    client = api("developer")
    body = {"image": f"{elsewhere.host}/team/api:1", "name": "api", "tag": "one"}
    rehearsed = client.post(f"{A}/image-copies?dry_run=true", body, format="json")
    assert (rehearsed.status_code, ImageCopy.objects.count()) == (200, 0)
    answer = worked(lambda: client.post(f"{A}/image-copies", body, format="json"))
    assert answer.status_code == 202
    (row,) = client.get(f"{A}/image-copies").json()["results"]
    assert (row["state"], row["path"], row["tag"], row["reason"]) == ("copied", "acme/shop/api", "one", None)
    assert row["operation_id"] == answer.json()["id"]
    assert client.get(f"{A}/image-copies/{row['id']}").json() == row
    assert home("acme/shop/api", "one") == row["digest"]


def test_a_copy_is_cancelled_on_its_page(
    cast: Cast, browse: Browse, home: Any, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/page", "1", LAYER)
    client = browse("developer")
    client.post(COPIES, {"image": f"{elsewhere.host}/team/page:1", "name": "cancel"})
    copy = ImageCopy.objects.get()
    assert browse("guest").post(f"{COPIES}{copy.pk}/cancel/").status_code == 403
    assert browse("developer").post(f"{COPIES}{copy.pk}/cancel/").status_code == 302
    worked()
    copy.refresh_from_db()
    assert copy.state == "cancelled"


def test_a_rule_is_made_followed_paused_and_removed_on_its_page(
    cast: Cast, browse: Browse, home: Any, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/rule", "1", LAYER)
    client = browse("owner")
    form = {
        "name": "mirror", "registry": "elsewhere", "direction": "pull", "names": "rule", "tags": "*",
        "remote_path": "team", "labels": "", "schedule": "Daily at 03:00", "conflict": "theirs",
    }  # fmt: skip
    for wrong in ({"schedule": "sometimes"}, {"names": "a b"}, {"labels": "x"}, {"kilobytes_per_second": "1"}):
        assert client.post(RULES, form | wrong).status_code == 422, wrong
    assert client.post(RULES, form).status_code == 302
    rule = ReplicationRule.objects.get()
    assert rule.next_at is not None
    assert (rule.schedule, rule.next_at.hour) == ("daily at 03:00", 3)
    worked(lambda: client.post(f"{RULES}mirror/follow/"))
    run = ReplicationRun.objects.get()
    assert (run.state, run.copied) == ("succeeded", 1)
    page = text(client.get(f"{RULES}mirror/runs/{run.pk}/"))
    assert "acme/shop/rule:1" in page
    assert "team/rule" in page
    assert f"{RULES}mirror/runs/{run.pk}/" in text(client.get(f"{RULES}mirror/"))
    assert client.post(f"{RULES}mirror/pause/").status_code == 302
    assert "paused" in text(client.get(RULES))
    assert client.post(f"{RULES}mirror/", form | {"tags": "1.*"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.tags, rule.paused) == ("1.*", True)
    assert client.post(f"{REGISTRIES}elsewhere/remove/").status_code == 409
    assert client.post(f"{RULES}mirror/remove/").status_code == 302
    assert client.post(f"{REGISTRIES}elsewhere/remove/").status_code == 302
    assert not RemoteRegistry.objects.exists()


def test_rules_over_the_api(
    cast: Cast, api: Api, home: Any, elsewhere: Depot, remote: RemoteRegistry, worked: Worked
) -> None:
    elsewhere.put("team/over-api", "1", LAYER)
    client = api("owner")
    body = {"name": "mirror", "registry": "elsewhere", "direction": "pull", "names": "over-api", "remote_path": "team"}
    unknown = client.post(f"{A}/replication", body | {"registry": "others"}, format="json")
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "unknown")
    made = client.post(f"{A}/replication", body, format="json")
    assert made.status_code == 201, made.content
    again = client.post(f"{A}/replication", body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    pushed = client.patch(f"{A}/replication/mirror", {"on_push": True}, format="json")
    assert pushed.json()["errors"][0]["field"] == "on_push"
    stale = client.patch(f"{A}/replication/mirror", {"paused": True}, format="json", headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    started = worked(lambda: client.post(f"{A}/replication/mirror/runs", {}, format="json"))
    assert started.status_code == 202
    (run,) = client.get(f"{A}/replication/mirror/runs").json()["results"]
    assert (run["copied"], run["operation_id"]) == (1, started.json()["id"])
    (line,) = client.get(f"{A}/replication/mirror/runs/{run['id']}/images").json()["results"]
    assert (line["state"], line["remote"]) == ("copied", "team/over-api")
    assert client.delete(f"{A}/replication/mirror").status_code == 204
    assert client.delete(f"{A}/registries/elsewhere").status_code == 204
    assert Operation.objects.filter(kind="replication.run.run", state="succeeded").exists()
