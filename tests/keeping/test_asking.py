"""What the gate is told: whom it believes, what it may say, and room that is counted."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client

from images.happening import Happened, happened
from images.keeping import gate, room
from images.keeping.gate import Question
from images.keeping.models import StoredBlob
from images.models import Artifact, Repository
from images.registry import signing
from images.registry.scopes import REPOSITORY, Scope
from tenants.models import Project
from tenants.quota import counting
from tenants.quota.models import Quota
from tenants.quota.services import limit_project
from tests.conftest import Cast
from tests.images import doors

WEB = "acme/shop/web"


@pytest.fixture(autouse=True)
def registry(settings: Any) -> None:
    settings.REGISTRY = doors.SETTINGS


def token(*actions: str, name: str = WEB, subject: str = "system:test") -> str:
    return signing.issue(subject, [Scope(REPOSITORY, name, actions or ("pull", "push"))])


def ask(told: Any, *, shown: str = doors.NOTICES) -> HttpResponse:
    return Client().post(
        "/registry/gate",
        json.dumps(told),
        content_type="application/json",
        headers={"Authorization": f"Bearer {shown}"},
    )


def upload(**more: Any) -> dict[str, Any]:
    return {"deed": "upload", "name": WEB, "token": token()} | more


@pytest.mark.parametrize("state", [Project.State.SUSPENDED, Project.State.ARCHIVED])
@pytest.mark.parametrize("deed", ["upload", "tag", "delete_manifest", "delete_blob"])
def test_a_token_from_before_a_project_was_closed_is_good_for_nothing_more(cast: Cast, state: str, deed: str) -> None:
    told = {"deed": deed, "name": WEB, "token": token("pull", "push", "delete"), "reference": "1"}
    Project.objects.filter(pk=cast.shop.pk).update(state=state)
    answer = ask(told)
    assert answer.status_code == 403
    (said,) = json.loads(answer.content)["errors"]
    assert said["code"] == "DENIED"
    assert said["message"].startswith(f"The project shop is {Project.State(state).label}. Re")
    assert said["message"].endswith("the project first, in its settings.")
    assert ask(told | {"deed": "pull"}).status_code == 204, "what is there can be fetched"
    assert not StoredBlob.objects.exists()


def test_who_shows_nothing_hears_nothing(cast: Cast) -> None:
    assert ask(upload(), shown="wrong").status_code == 403
    assert ask(upload(), shown="").status_code == 403
    assert Client().get("/registry/gate").status_code == 405


def test_without_a_registry_it_is_not_there(cast: Cast, settings: Any) -> None:
    settings.REGISTRY = doors.SETTINGS | {"url": ""}
    assert ask(upload()).status_code == 404


def test_a_token_of_ours_that_allows_it(cast: Cast) -> None:
    assert ask(upload()).status_code == 204


@pytest.mark.parametrize(
    "more",
    [
        {"token": ""},
        {"token": "x.y.z"},
        {"name": "acme/shop/other"},
        {"name": "globex/store/web"},
        {"name": "acme/shop"},
        {"name": "../../x"},
        {"deed": "delete_manifest", "reference": "v1"},
    ],
)
def test_what_no_token_allows_the_registry_refuses_itself(cast: Cast, more: dict[str, Any]) -> None:
    assert ask(upload(**more)).status_code == 401


def test_foreign_and_unsigned_tokens(cast: Cast) -> None:
    said = jwt.decode(token(), options={"verify_signature": False})
    foreign = jwt.encode(said, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")
    for forged in (foreign, jwt.encode(said, None, algorithm="none"), token("pull")):
        assert ask(upload(token=forged)).status_code == 401


def test_one_that_has_just_ended_is_looked_at_all_the_same(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is a little patient: what it still takes must not come past the rules."""
    limit_project(cast.actor("owner"), cast.shop, limits={"images": 0})
    monkeypatch.setattr(signing, "LIFE_SECONDS", -30)
    assert ask(upload(token=token())).status_code == 403


@pytest.mark.parametrize(
    "told",
    [{}, [], 5, None, {"deed": "x"}, {"deed": "tag", "layers": [[1]]}, {"deed": "tag", "layers": [["x", 1]] * 501}],
)
def test_what_no_gate_asks(cast: Cast, told: Any) -> None:
    whole = upload(reference="1") | told if isinstance(told, dict) and told else told
    assert ask(whole).status_code == 403


def test_no_room_is_said_before_anything_is_sent(cast: Cast) -> None:
    limit_project(cast.actor("owner"), cast.shop, limits={"images": 0})
    answer = ask(upload())
    assert answer.status_code == 403
    (said,) = answer.json()["errors"]
    assert said["code"] == "DENIED"
    assert "shop has no room for more images" in said["message"]
    assert "quota page" in said["message"]


def test_a_rule_about_pulling_is_one_function(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Question] = []
    monkeypatch.setitem(gate._rules, "pull", [])
    gate.rule("pull")(asked.append)
    told = {"deed": "pull", "name": WEB, "reference": "v1", "token": token("pull", subject="account:1")}
    assert ask(told).status_code == 204
    assert [(one.subject, one.tag, str(one.path)) for one in asked] == [("account:1", "v1", WEB)]


def artifact(cast: Cast, digest: str, *layers: tuple[str, int], own: int = 5) -> Artifact:
    home, _made = Repository.objects.get_or_create(
        path=WEB, defaults={"tenant": cast.acme, "project": cast.shop, "name": WEB}
    )
    kept = [{"digest": name, "size": size} for name, size in layers]
    whole = own + sum(size for _name, size in layers)
    return Artifact.objects.create(repository=home, digest=digest, pinned="x", size_bytes=whole, layers=kept)


def tell(kind: str, one: Artifact, cast: Cast, **detail: object) -> None:
    said = Happened(kind, one.repository, one.digest, cast.actor("owner"), detail=detail)  # type: ignore[arg-type]
    for _receiver, raised in happened.send_robust(sender=None, told=said):
        assert not isinstance(raised, Exception), raised


def used(cast: Cast) -> int:
    return Quota.objects.get(project=cast.shop, resource="images").used


def test_a_layer_counts_once_in_a_project(cast: Cast) -> None:
    one = artifact(cast, "sha256:1", ("a", 100), ("b", 10))
    other = artifact(cast, "sha256:2", ("a", 100), ("c", 1))
    for each in (one, other, one):
        tell("pushed", each, cast)
    assert room.stored(cast.shop.pk) == used(cast) == 100 + 10 + 1 + 2 * 5
    other.delete()
    tell("deleted", other, cast, layers=["a", "c"])
    assert used(cast) == 100 + 10 + 5


def test_counting_again_finds_nothing_wrong(cast: Cast) -> None:
    tell("pushed", artifact(cast, "sha256:1", ("a", 100)), cast)
    assert list(counting.doubtful(cast.acme)) == []
    StoredBlob.objects.all().delete()
    room.recount(Project.objects.get(pk=cast.shop.pk))
    assert used(cast) == 105
    assert list(counting.doubtful(cast.acme)) == []


def test_limits_of_images_stand_on_the_quota_page(cast: Cast) -> None:
    tell("pushed", artifact(cast, "sha256:1", ("a", 3 << 30)), cast)
    limit_project(cast.actor("owner"), cast.shop, limits={"images": 4 << 30})
    client = Client()
    client.force_login(cast.owner)
    assert "Images in the registry" in client.get("/t/acme/quota/").content.decode()
    told = client.get("/api/v1/tenants/acme/projects/shop/quota").json()
    assert "images" in json.dumps(told)
    page = client.get("/t/acme/p/shop/settings/keeping/").content.decode()
    assert "3 GB" in page
    assert "4 GB" in page
