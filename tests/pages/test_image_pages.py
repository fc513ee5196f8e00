"""The pages of a project's images: repositories, tags, one image whole; searched, paged, and for whom they are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.models import AppEnvironment, ReleaseImage
from apps.services import deploy
from apps.specification import from_image
from images.models import Artifact, ArtifactPart, ArtifactPulls, Repository, Scan, Tag
from images.services import share_repository
from tests.conftest import Cast, Wakeups
from tests.images.doors import ADDRESS, SETTINGS

PAGE = "/t/acme/p/shop/images/"
NAME = f"{ADDRESS}/acme/shop/web"
REPOSITORY = f"{PAGE}repositories/web/"
DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32


@pytest.fixture(autouse=True)
def _registry(settings: Any) -> None:
    settings.REGISTRY = SETTINGS


@pytest.fixture
def pushed(cast: Cast) -> Artifact:
    """acme/shop/web:1, with all that is known of an image."""
    home = Repository.objects.create(tenant=cast.acme, project=cast.shop, path="acme/shop/web", name=NAME)
    artifact = Artifact.objects.create(
        repository=home, digest=DIGEST, pinned=f"{NAME}@{DIGEST}", size_bytes=3_000_000, platform="linux/amd64",
        layers=[{"digest": OTHER, "size": 2_900_000}], pushed_by="developer", ports=["8080/tcp"], user="1000",
        labels={"org.opencontainers.image.title": "Web <b>"},
        configuration={
            "environment": [["MODE", "fast <i>"]], "entrypoint": ["/web"], "command": ["serve"], "working_dir": "/srv",
            "volumes": ["/data"], "stop_signal": "SIGINT",
        },
        history=[{"created_at": "", "created_by": "COPY web /web", "comment": "", "empty": False}],
    )  # fmt: skip
    Tag.objects.create(repository=home, name="1", artifact=artifact, moved_by="developer")
    return artifact


def many(home: Repository, count: int) -> None:
    """Tags v0000 and on, the later ones pushed later, each an image of its own."""
    now = timezone.now()
    artifacts = [
        Artifact(repository=home, digest=f"sha256:{one:064x}", pinned=f"{NAME}@sha256:{one:064x}", size_bytes=1000)
        for one in range(count)
    ]
    Artifact.objects.bulk_create(artifacts)
    Tag.objects.bulk_create(
        Tag(repository=home, name=f"v{one:04}", artifact=row, moved_at=now + timedelta(seconds=one), moved_by="ci")
        for one, row in enumerate(artifacts)
    )


def text(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def test_the_place_stands_in_the_navigation(browse: Callable[[str], Client], cast: Cast) -> None:
    said = text(browse("developer"), "/t/acme/p/shop/")
    assert f'href="{PAGE}"' in said
    assert f'href="{PAGE}"' not in text(browse("guest"), "/t/acme/p/shop/")
    assert 'aria-current="page"' in text(browse("developer"), PAGE).partition(f'href="{PAGE}"')[2][:80]


def test_a_repository_says_what_lies_in_it(
    browse: Callable[[str], Client], pushed: Artifact, place: AppEnvironment, cast: Cast, wakeups: Wakeups,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), place, spec=from_image(f"{NAME}:1", name="web", instances=1, ports=[8080]))
    Scan.objects.create(artifact=pushed, rating="C", at_best="C", tool="berth")
    Scan.objects.create(artifact=pushed, rating="B", at_best="B", tool="berth")
    said = text(browse("developer"), REPOSITORY)
    assert ">1</a>" in said
    for word in (DIGEST[:19], "linux/amd64", "Scan rating B", "hello", "developer", f"docker pull {NAME}:1"):
        assert word in said
    assert f"docker push {ADDRESS}/acme/shop/web:1" in said
    image = f"{REPOSITORY}-/digests/{DIGEST}/"
    assert "-/tags/1/remove/" not in text(browse("developer"), image), "a developer takes nothing out"
    assert "-/tags/1/remove/" in text(browse("owner"), image)


def test_one_image_says_everything(browse: Callable[[str], Client], pushed: Artifact, cast: Cast) -> None:
    ArtifactPulls.objects.create(artifact=pushed, day=timezone.now().date(), count=1234)
    said = text(browse("developer"), f"{REPOSITORY}-/digests/{DIGEST}/")
    for word in (
        "8080/tcp", "1000", "MODE", "fast &lt;i&gt;", "/web", "serve", "/srv", "/data", "SIGINT", "COPY web /web",
        OTHER[7:19], "Web &lt;b&gt;", "1,234 in 30 days", f"docker pull {NAME}@{DIGEST}", "skopeo inspect --tls-verify",
    ):  # fmt: skip
        assert word in said, word


def test_a_list_for_several_platforms_leads_to_each(browse: Callable[[str], Client], pushed: Artifact) -> None:
    whole = Artifact.objects.create(
        repository=pushed.repository, digest=OTHER, pinned=f"{NAME}@{OTHER}", configuration={}
    )
    ArtifactPart.objects.create(artifact=whole, digest=DIGEST, platform="linux/arm64")
    Tag.objects.create(repository=pushed.repository, name="all", artifact=whole)
    said = text(browse("developer"), f"{REPOSITORY}-/digests/{OTHER}/")
    assert f"{REPOSITORY}-/digests/{DIGEST}/" in said
    assert "linux/arm64" in said
    assert OTHER[:19] in text(browse("developer"), f"{REPOSITORY}-/digests/{DIGEST}/"), "part of"
    Tag.objects.filter(artifact=pushed).delete()
    assert "Every image has a tag" in text(browse("developer"), REPOSITORY, show="untagged"), "a list holds it"


def test_images_without_a_tag_are_found(browse: Callable[[str], Client], pushed: Artifact) -> None:
    Tag.objects.all().delete()
    assert DIGEST[:19] in text(browse("developer"), REPOSITORY, show="untagged")
    assert DIGEST[:19] in text(browse("developer"), REPOSITORY, show="untagged", search=DIGEST[7:15])
    assert DIGEST[:19] not in text(browse("developer"), REPOSITORY, show="untagged", search="0123456")
    assert "No tag lies here" in text(browse("developer"), REPOSITORY)


def test_what_was_not_read_yet_says_so(browse: Callable[[str], Client], pushed: Artifact) -> None:
    Artifact.objects.update(configuration=None)
    assert "is not read yet" in text(browse("developer"), f"{REPOSITORY}-/digests/{DIGEST}/")


def test_tags_are_searched_by_name_and_by_digest(browse: Callable[[str], Client], pushed: Artifact) -> None:
    many(pushed.repository, 30)
    client = browse("developer")
    found = text(client, REPOSITORY, search="v002")
    assert "v0029" in found
    assert "v0011" not in found
    assert ">1</a>" in text(client, REPOSITORY, search=DIGEST[:19])
    assert "Nothing found" in text(client, REPOSITORY, search="%")
    assert "Nothing found" in text(client, PAGE, search="nothing of that name")
    assert ">web:v0029</a>" in text(client, PAGE, search="web:v0029")


def test_tags_are_paged_forth_and_back(browse: Callable[[str], Client], pushed: Artifact) -> None:
    many(pushed.repository, 60)
    client = browse("developer")
    first = text(client, REPOSITORY)
    assert "v0059" in first
    assert "v0034" not in first
    second = client.get(REPOSITORY + following(first, "next")).content.decode()
    assert "v0034" in second
    assert "v0035" not in second
    third = client.get(REPOSITORY + following(second, "next")).content.decode()
    assert ">1</a>" in third
    assert 'rel="next"' not in third
    back = client.get(REPOSITORY + following(third, "prev")).content.decode()
    assert "v0034" in back
    by_name = text(client, REPOSITORY, sort="name")
    assert "v0023" in by_name
    assert "v0024" not in by_name
    for odd in ("o", "oabc", "n99999999", "x1", "o\0", "o" + "9" * 80):
        assert client.get(REPOSITORY, {"cursor": odd}).status_code == 200


def following(said: str, way: str) -> str:
    return said.partition(f'rel="{way}" href="')[2].partition('"')[0].replace("&amp;", "&")


def test_repositories_are_paged_by_name(browse: Callable[[str], Client], cast: Cast) -> None:
    for one in range(70):
        path = f"acme/shop/{'long-' * 20}{one:02}"
        Repository.objects.create(tenant=cast.acme, project=cast.shop, path=path, name=f"{ADDRESS}/{path}")
    client = browse("developer")
    first = text(client, PAGE)
    assert "-49</a>" in first
    assert "-50</a>" not in first
    assert "-69</a>" in client.get(PAGE + following(first, "next")).content.decode()


def test_what_others_offer_is_a_list_of_its_own(browse: Callable[[str], Client], pushed: Artifact, cast: Cast) -> None:
    client = browse("outsider")
    there = "/t/globex/p/store/images/"
    assert NAME not in text(client, there, whose="others")
    assert client.get(f"{there}repositories/-/{NAME}/").status_code == 404
    share_repository(cast.actor("owner"), pushed.repository, visible="named", tenants=["globex"])
    assert f"{there}repositories/-/{NAME}/" in text(client, there, whose="others")
    said = text(client, f"{there}repositories/-/{NAME}/")
    assert f"docker pull {NAME}:1" in said
    assert "docker push" not in said
    assert "globex" not in text(browse("developer"), PAGE, whose="others")


@pytest.mark.parametrize(
    "address",
    [
        f"{PAGE}repositories/nothing/", f"{PAGE}repositories/-/nothing/", f"{PAGE}repositories/web/-/tags/1/",
        f"{REPOSITORY}-/digests/{OTHER}/", f"{REPOSITORY}-/digests/sha256:x/", f"{REPOSITORY}-/digests/%00/",
        f"{PAGE}repositories/%00/", f"{PAGE}repositories/..%2Fstore%2Fweb/", f"{REPOSITORY}-/tags/%00/remove/",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(browse: Callable[[str], Client], pushed: Artifact, address: str) -> None:
    assert browse("owner").get(address).status_code == 404


def test_who_may_not_see_images_sees_none(browse: Callable[[str], Client], pushed: Artifact) -> None:
    for address in (PAGE, REPOSITORY, f"{REPOSITORY}-/digests/{DIGEST}/"):
        assert browse("guest").get(address).status_code == 403
        assert browse("outsider").get(address).status_code == 404


@pytest.mark.parametrize("tags", [20, 1000])
def test_a_page_costs_as_much_for_many_tags_as_for_few(
    browse: Callable[[str], Client], pushed: Artifact, tags: int, django_assert_max_num_queries: Any
) -> None:
    many(pushed.repository, tags)
    client = browse("developer")
    client.get(PAGE)
    with django_assert_max_num_queries(26):
        text(client, PAGE)
    with django_assert_max_num_queries(29):
        text(client, REPOSITORY)
    with django_assert_max_num_queries(34):
        text(client, f"{REPOSITORY}-/digests/{DIGEST}/")


def test_the_part_that_keeps_itself_new_comes_alone(browse: Callable[[str], Client], pushed: Artifact) -> None:
    for address, part in ((PAGE, "images"), (REPOSITORY, "repository"), (f"{REPOSITORY}-/digests/{DIGEST}/", "image")):
        said = browse("developer").get(address, headers={"HX-Request": "true"}).content.decode()
        assert said.strip().startswith(f'<div class="live" id="{part}"')
        assert "<html" not in said


def test_everything_one_may_see_is_searched(api: Callable[[str], APIClient], pushed: Artifact, cast: Cast) -> None:
    def found(who: str, search: str = "web") -> list[str]:
        answer = api(who).get("/api/v1/images", {"search": search})
        assert answer.status_code == 200
        return [one["name"] for one in answer.json()["results"]]

    assert found("developer") == [NAME]
    assert found("developer", "nothing") == []
    assert found("outsider") == []
    assert found("guest") == []
    share_repository(cast.actor("owner"), pushed.repository, visible="everyone")
    assert found("outsider") == [NAME]


def test_the_api_says_what_the_pages_say(api: Callable[[str], APIClient], pushed: Artifact) -> None:
    base = "/api/v1/tenants/acme/projects/shop/images"
    (row,) = [one for one in api("developer").get(base).json()["results"] if one["name"] == NAME]
    assert (row["tags"], row["size_bytes"], row["pushed_by"]) == (1, 3_000_000, "developer")
    one = api("developer").get(f"{base}/{NAME}/artifacts/{DIGEST}").json()
    assert one["configuration"]["entrypoint"] == ["/web"]
    assert (one["pulls"], one["rating"], one["platforms"]) == (0, "", [])


def test_an_image_that_lies_on_the_hosts_alone_tells_where_it_runs(
    browse: Callable[[str], Client], place: AppEnvironment, cast: Cast, wakeups: Wakeups,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    """It has no registry to be pinned to: its digest is all it is known by."""
    home = Repository.objects.create(name="sample/hello", cluster=cast.cluster)
    row = Artifact.objects.create(repository=home, digest=DIGEST, pinned=DIGEST, size_bytes=1)
    Tag.objects.create(repository=home, name="1", artifact=row)
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), place, spec=from_image("sample/hello:1", name="web", instances=1))
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    assert ReleaseImage.objects.get().pinned == DIGEST
    address = f"{PAGE}repositories/-/sample/hello/"
    for page in (address, f"{address}-/digests/{DIGEST}/"):
        assert "/apps/hello/?environment=dev" in text(browse("developer"), page)
