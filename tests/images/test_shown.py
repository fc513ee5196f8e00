"""Pushed images on the page, in the API and in what may be deployed; and who they are opened to."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.selectors.image_choice import artifact_of, image_choices
from audit.models import AuditEntry
from images.models import Artifact, Repository, Tag
from images.services import share_repository
from tests.conftest import Cast
from tests.images.doors import ADDRESS

pytestmark = pytest.mark.usefixtures("registry")
PAGE = "/t/acme/p/shop/images/"
ACCESS = f"{PAGE}repositories/web/-/access/"
DIGEST = "sha256:" + "ab" * 32
NAME = f"{ADDRESS}/acme/shop/web"
VISIBILITY = f"/api/v1/tenants/acme/projects/shop/images/{NAME}/visibility"


@pytest.fixture
def pushed(cast: Cast) -> Repository:
    """acme/shop/web:1, pushed by the developer."""
    home = Repository.objects.create(tenant=cast.acme, project=cast.shop, path="acme/shop/web", name=NAME)
    artifact = Artifact.objects.create(
        repository=home, digest=DIGEST, pinned=f"{NAME}@{DIGEST}", size_bytes=3_000_000, platform="linux/amd64",
        layers=[{"digest": DIGEST, "size": 2_900_000}], pushed_by="developer",
    )  # fmt: skip
    Tag.objects.create(repository=home, name="1", artifact=artifact, moved_by="developer")
    return home


def test_the_page_says_what_was_pushed_and_how_to_push(browse: Callable[[str], Client], pushed: Repository) -> None:
    said = browse("developer").get(PAGE).content.decode()
    for text in (">web</a>", "<code>1</code>", "2.9 MB", f"docker login --username developer {ADDRESS}"):
        assert text in said
    assert f"docker push {ADDRESS}/acme/shop/web:1" in said


def test_the_page_is_searched(browse: Callable[[str], Client], pushed: Repository) -> None:
    client = browse("developer")
    assert DIGEST[:19] in client.get(PAGE, {"search": "web:1"}).content.decode()
    assert DIGEST[:19] not in client.get(PAGE, {"search": "other"}).content.decode()


def test_the_page_is_only_for_who_sees_images(browse: Callable[[str], Client], cast: Cast) -> None:
    assert browse("guest").get(PAGE).status_code == 403
    assert browse("outsider").get(PAGE).status_code == 404


def test_who_manages_the_project_opens_it_to_others(browse: Callable[[str], Client], pushed: Repository) -> None:
    asked = {"visible": "named", "tenants": "globex, umbrella"}
    assert browse("developer").post(ACCESS, asked).status_code == 403
    assert browse("outsider").post(ACCESS, asked).status_code == 404
    assert browse("owner").post(ACCESS, asked).status_code == 302
    pushed.refresh_from_db()
    assert (pushed.visible, [share.name for share in pushed.shares.order_by("name")]) == (
        "named",
        ["globex", "umbrella"],
    )
    entry = AuditEntry.objects.get(action="image.share", result=AuditEntry.Result.ACCEPTED)
    assert entry.after == {"visible": "named", "tenants": ["globex", "umbrella"]}
    assert "globex umbrella" in browse("owner").get(ACCESS).content.decode()
    closed = browse("owner").post(ACCESS, {"visible": "project"})
    assert closed.status_code == 302
    assert not pushed.shares.exists()


@pytest.mark.parametrize(
    ("visible", "tenants"), [("named", ""), ("tenant", "globex"), ("named", "No Such Name"), ("x", "")]
)
def test_what_cannot_be_meant_is_told(
    browse: Callable[[str], Client], pushed: Repository, visible: str, tenants: str
) -> None:
    answer = browse("owner").post(ACCESS, {"visible": visible, "tenants": tenants})
    assert answer.status_code == 422
    pushed.refresh_from_db()
    assert pushed.visible == Repository.Visible.PROJECT


def test_the_api_opens_and_closes(api: Callable[[str], APIClient], pushed: Repository) -> None:
    client = api("owner")
    assert client.put(VISIBILITY, {"visible": "tenant"}, format="json").json() == {
        "name": NAME, "visible": "tenant", "tenants": [],
    }  # fmt: skip
    assert client.get(VISIBILITY).json()["visible"] == "tenant"
    assert client.put(VISIBILITY, {"visible": "named"}, format="json").status_code == 422
    assert api("developer").put(VISIBILITY, {"visible": "everyone"}, format="json").status_code == 403
    assert api("outsider").put(VISIBILITY, {"visible": "everyone"}, format="json").status_code == 404


def test_the_api_says_who_pushed_and_what_it_is_made_of(api: Callable[[str], APIClient], pushed: Repository) -> None:
    base = "/api/v1/tenants/acme/projects/shop/images"
    (tag,) = api("developer").get(f"{base}/{NAME}/tags").json()["results"]
    assert (tag["reference"], tag["moved_by"]) == (f"{NAME}:1", "developer")
    one = api("developer").get(f"{base}/{NAME}/artifacts/{DIGEST}").json()
    assert one["layers"] == [{"digest": DIGEST, "size": 2_900_000}]


def test_what_was_pushed_is_offered_where_it_is_open(cast: Cast, pushed: Repository) -> None:
    image = f"{NAME}:1"

    def offered() -> list[bool]:
        shown = [
            image_choices(cast.actor("developer"), one, search="web", chosen="").shown
            for one in (cast.shop, cast.store)
        ]
        return [image in [choice.reference for choice in choices] for choices in shown]

    assert offered() == [True, False]
    assert artifact_of(cast.store, image) is None
    share_repository(cast.actor("owner"), pushed, visible="named", tenants=["globex"])
    assert offered() == [True, True]
    assert artifact_of(cast.store, image) is not None
