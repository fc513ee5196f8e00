"""Asking for builds: who may, what is refused, what is shown, and what is left when one ends."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from backends.models import Cluster
from images.building import room
from images.models import Artifact, Build, Builder, BuildLog, BuildPolicy, Repository, Upload
from images.promotion.passport import passport
from operations.models import Operation
from tests.building.conftest import BUILDS, Asker, P, step, tar, work_off
from tests.conftest import Cast
from tests.uploading.conftest import _running, left_behind, registry

__all__ = ["_running", "registry"]
PAGE = "/t/acme/p/shop/images/builds/"
FILES: dict[str, bytes | str] = {"Dockerfile": "FROM scratch\nCOPY . /\n"}
Browse = Callable[[str], Client]

pytestmark = pytest.mark.usefixtures("registry")


@pytest.fixture(autouse=True)
def place(cast: Cast) -> Builder:
    cluster = Cluster.objects.create(name="real", kind=Cluster.Kind.SWARM, address="unix:///nowhere.sock")
    return Builder.objects.create(cluster=cluster, allowed_by="operator")


def test_it_waits_its_turn_and_is_told(browse: Browse, asker: Asker, cast: Cast) -> None:
    first, second = asker.build(FILES), asker.build(FILES)
    assert step(second).step == ""
    assert [one.code for one in step(second).events.all()] == ["accepted", "build_waits"]
    assert step(first).step == "fetching"
    shown = asker.client.get(f"{BUILDS}/{first.pk}").json()
    assert (shown["state"], shown["file_name"], shown["owner_name"]) == ("waiting", "web.tar.gz", "developer")
    listed = asker.client.get(BUILDS).json()["results"]
    assert [one["id"] for one in listed] == [str(second.pk), str(first.pk)]
    assert Upload.objects.get(pk=first.upload_id).state == "working"
    activity = browse("developer").get("/t/acme/p/shop/activity/").content.decode()
    assert "Build an image" in activity.partition("<main")[2]
    entry = AuditEntry.objects.filter(action="image.build", result="accepted").latest("seq")
    assert entry.actor_name == "developer"
    assert entry.after["source"] == "web.tar.gz"


def test_a_cancel_before_anything_began_leaves_nothing(asker: Asker, django_capture_on_commit_callbacks: Any) -> None:
    build = asker.build(FILES)
    assert asker.client.delete(f"{BUILDS}/{build.pk}").status_code == 204
    with django_capture_on_commit_callbacks(execute=True):
        assert work_off(build).state == Operation.State.CANCELLED
    assert build.state == "cancelled"
    assert not left_behind()
    assert asker.client.delete(f"{BUILDS}/{build.pk}").status_code == 409


def test_bad_sources_are_told_with_a_next_step_and_thrown_away(
    asker: Asker, browse: Browse, django_capture_on_commit_callbacks: Any
) -> None:
    build = asker.build({"Other": "x"})
    with django_capture_on_commit_callbacks(execute=True):
        assert work_off(build).failure["code"] == "source_no_recipe"
    shown = asker.client.get(f"{BUILDS}/{build.pk}").json()
    assert shown["failure"]["message"] == "There is no file Dockerfile in the sources."
    assert "from the top" in shown["failure"]["hint"]
    assert not left_behind()
    said = browse("developer").get(f"{PAGE}{build.pk}/").content.decode()
    assert "There is no file Dockerfile" in said


def test_without_room_on_the_disk_nothing_is_begun(asker: Asker, settings: Any) -> None:
    build = asker.build(FILES)
    settings.UPLOADS = settings.UPLOADS | {"spare_bytes": 2**60}
    assert work_off(build).failure["code"] == "source_no_room"


def test_a_builder_that_is_away_is_waited_for(asker: Asker) -> None:
    build = asker.build(FILES)
    for _turn in range(4):
        operation = step(build)
    assert operation.active
    assert operation.step == "building"
    assert operation.events.latest("seq").code == "engine_away"
    assert build.work == {}, "waiting for an engine is no try"


def test_a_builder_that_is_gone_is_told(asker: Asker, place: Builder) -> None:
    build = asker.build(FILES)
    place.delete()
    assert work_off(build).failure["code"] == "build_no_builder"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "address"),
        ({"address": "http://example.com/x.git"}, "address"),
        ({"address": "https://127.0.0.1/x.git"}, "address"),
        ({"address": "https://169.254.169.254/x.git"}, "address"),
        ({"address": "https://me:pass@example.com/x.git"}, "address"),
        ({"address": "ssh://example.com/x.git"}, "address"),
        ({"address": "https://localhost/x.git", "revision": "--upload-pack=x"}, "revision"),
        ({"upload": "01a20593-897f-74fc-9384-2ba0a064aa6b"}, "upload"),
        ({"repository": "../x"}, "repository"),
        ({"tags": ["-x"]}, "tags"),
        ({"recipe": "../Dockerfile"}, "recipe"),
        ({"recipe": "/etc/passwd"}, "recipe"),
        ({"arguments": {"a b": "x"}}, "arguments"),
        ({"network": True}, "network"),
    ],
)
def test_what_cannot_be_built_is_refused(asked: dict[str, Any], field: str, asker: Asker) -> None:
    answer = asker.ask(**asked)
    assert answer.status_code == 422, answer.content
    assert field in [one["field"] for one in answer.json()["errors"]]
    assert not Build.objects.exists()


def test_sources_are_their_owners_and_serve_once(asker: Asker, api: Callable[[str], APIClient]) -> None:
    key = asker.upload(tar(FILES))
    assert Asker(api("owner")).ask(upload=key).status_code in (403, 422)
    assert asker.ask(upload=key).status_code == 201
    assert asker.ask(upload=key).status_code == 422


def test_who_may_and_who_may_look(api: Callable[[str], APIClient], asker: Asker) -> None:
    build = asker.build(FILES)
    assert api("releaser").get(f"{BUILDS}/{build.pk}").status_code == 200
    assert api("releaser").post(BUILDS, {"repository": "x"}, format="json").status_code == 403
    assert api("releaser").delete(f"{BUILDS}/{build.pk}").status_code == 403
    for address in (BUILDS, f"{BUILDS}/{build.pk}", f"{BUILDS}/{build.pk}/log"):
        assert api("outsider").get(address).status_code == 404
    assert api("guest").get(BUILDS).status_code == 403


def test_the_network_is_the_tenants_and_the_operators_to_give(
    api: Callable[[str], APIClient], asker: Asker, place: Builder, cast: Cast
) -> None:
    assert asker.client.put(f"{P}/build-rights", {"network": True}, format="json").status_code == 403
    assert api("owner").put(f"{P}/build-rights", {"network": True}, format="json").json() == {"network": True}
    assert BuildPolicy.objects.get(project=cast.shop).set_by == "owner"
    asked = {"address": "https://127.0.0.1/x.git", "network": True}
    assert "network" in [one["field"] for one in asker.ask(**asked).json()["errors"]]
    assert api("owner").put("/api/v1/builders/real", {"network": True}, format="json").status_code in (403, 404)
    assert api("operator").put("/api/v1/builders/real", {"network": True}, format="json").status_code == 204
    assert "network" not in [one["field"] for one in asker.ask(**asked).json()["errors"]]
    told = {one["cluster"]: one for one in api("operator").get("/api/v1/builders").json()["results"]}
    assert told["real"] == {"cluster": "real", "able": True, "allowed": True, "network": True}
    assert told["local"] == {"cluster": "local", "able": False, "allowed": False, "network": False}
    assert api("operator").put("/api/v1/builders/local", {}, format="json").status_code == 409
    assert api("operator").delete("/api/v1/builders/real").status_code == 204
    assert asker.ask(upload=asker.upload(tar(FILES))).json()["type"].endswith("no_builder")


def test_the_page_offers_what_there_is(browse: Browse, asker: Asker, place: Builder, cast: Cast) -> None:
    key = asker.upload(tar(FILES), name="<b>web.tar.gz")
    said = browse("developer").get(PAGE).content.decode()
    assert 'name="purpose" value="sources"' in said
    assert f"?upload={key}#new" in said
    assert "&lt;b&gt;web.tar.gz" in said
    assert "do not reach the network" in said
    assert "which you uploaded" in browse("developer").get(f"{PAGE}?upload={key}").content.decode()
    form = {"upload": key, "repository": "web", "tags": "1 2", "recipe": "", "arguments": "A=1\nB=x=y\n"}
    answer = browse("developer").post(PAGE, form)
    assert answer.status_code == 302, answer.content.decode()
    build = Build.objects.get()
    assert (build.tags, build.arguments, build.recipe) == (["1", "2"], {"A": "1", "B": "x=y"}, "Dockerfile")
    assert answer.headers["Location"] == f"{PAGE}{build.pk}/"
    assert browse("developer").post(PAGE, form).status_code == 422
    plain = browse("developer").post(PAGE, form | {"upload": "", "address": "http://git.example.com/x.git"})
    assert "Sources are fetched by https alone. Use https://." in plain.content.decode()
    assert PAGE in browse("developer").get("/t/acme/p/shop/images/").content.decode()
    assert "not for you" in browse("releaser").get(PAGE).content.decode()
    place.delete()
    assert "No cluster builds images here" in browse("developer").get(PAGE).content.decode()


def test_the_log_stays_readable_and_is_bounded(browse: Browse, asker: Asker, settings: Any) -> None:
    from images.building.logs import Log

    settings.BUILDS = settings.BUILDS | {"log_bytes": 100}
    build = asker.build(FILES)
    step(build)
    operation = Operation.objects.get(pk=build.operation_id)
    Operation.objects.filter(pk=operation.pk).update(state="running")
    log = Log(operation, build)
    log.say("Step 1/2 : \x1b[91m<i>red</i>\x1b[0m\0\n")
    log.flush(now=True)
    log.say("x" * 500)
    log.flush(now=True)
    log.say("nobody reads this")
    log.flush(now=True)
    text = asker.log(build)
    assert text.startswith("Step 1/2 : <i>red</i>\nxxx")
    assert text.endswith("More was said than is kept.\n")
    assert "nobody" not in text
    rest = asker.client.get(f"{BUILDS}/{build.pk}/log?since=11").content.decode()
    assert text[11:] == rest
    assert BuildLog.objects.filter(build=build).count() == 2
    page = browse("releaser").get(f"{PAGE}{build.pk}/").content.decode()
    assert "&lt;i&gt;red" in page
    assert "is-newest" in page  # no higher than the window, with its end in view
    whole = browse("releaser").get(f"{PAGE}{build.pk}/log/")
    assert (whole.content.decode(), whole.headers["Content-Type"]) == (text, "text/plain; charset=utf-8")


def test_one_that_ended_without_a_word_says_so(browse: Browse, asker: Asker) -> None:
    build = asker.build(FILES)
    address = f"{PAGE}{build.pk}/"
    waiting = browse("developer").get(address).content.decode()
    assert "Nothing said yet" in waiting
    assert "Whole log" not in waiting
    failure = {"code": "cancelled", "params": {"person": "developer"}}
    Build.objects.filter(pk=build.pk).update(state="cancelled", failure=failure)
    said = browse("developer").get(address).content.decode()
    assert "The builder said nothing" in said
    assert said.count("Cancelled by developer") == 1
    Build.objects.filter(pk=build.pk).update(state="failed", failure={"code": "source_unreadable", "params": {}})
    assert 'role="alert"' in browse("developer").get(address).content.decode().partition("<main")[2]


def test_what_was_built_says_by_whom_and_from_what(browse: Browse, asker: Asker, cast: Cast) -> None:
    digest = "sha256:" + "b" * 64
    build = asker.build(FILES)
    Build.objects.filter(pk=build.pk).update(digest=digest, path="acme/shop/web", state="done")
    home = Repository.objects.create(name="x/acme/shop/web", path="acme/shop/web", tenant=cast.acme, project=cast.shop)
    artifact = Artifact.objects.create(repository=home, digest=digest, pinned=f"x@{digest}", pushed_by="somebody")
    told = passport(cast.shop, artifact)
    assert told["builders"] == ["developer", "somebody"]
    assert [one["file_name"] for one in told["builds"]] == ["web.tar.gz"]
    page = browse("developer").get(f"/t/acme/p/shop/images/repositories/web/-/digests/{digest}/")
    said = page.content.decode()
    assert "Built by Berth from" in said
    shown = browse("developer").get(f"/t/acme/p/shop/passports/{digest}/").content.decode()
    assert "Built by Berth from" in shown
    assert f"{PAGE}{build.pk}/" in said


def test_operators_say_where_on_a_page(browse: Browse, place: Builder) -> None:
    operator = browse("operator")
    assert "allowed, without the network" in operator.get("/builders/").content.decode()
    assert 'href="/builders/"' in operator.get("/clusters/").content.decode()
    operator.post("/builders/", {"cluster": "real", "allow": "network"})
    assert Builder.objects.get().network
    operator.post("/builders/", {"cluster": "real"})
    assert not Builder.objects.exists()
    assert browse("developer").get("/builders/").status_code in (403, 404)
    assert browse("developer").post("/builders/", {"cluster": "real", "allow": "apart"}).status_code in (403, 404)


def test_what_a_crash_left_is_swept_away(asker: Asker) -> None:
    build = asker.build(FILES)
    room.take(build.pk)
    room.take("01a20593-897f-74fc-9384-2ba0a064aa6b")
    room.forget_orphans()
    assert [one.name for one in room.home(build.pk).parent.glob("*.build")] == [f"{build.pk}.build"]
