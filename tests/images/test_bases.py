"""Images to build upon: operators publish them, projects see the versions that they may pull."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from images.models import Artifact, BaseImage, Repository, Tag
from tests.conftest import Cast

PAGE, BASES = "/t/acme/p/shop/images/base/", "/api/v1/base-images"
OF_PROJECT = "/api/v1/tenants/acme/projects/shop/base-images"
DIGEST = "sha256:" + "cd" * 32


@pytest.fixture
def platforms(cast: Cast) -> Repository:
    """Two versions of an image of the platform, the older one built a year ago."""
    home = Repository.objects.create(name="base/python", title="Python")
    for tag, days in (("3.11", 400), ("3.12", 3)):
        built = timezone.now() - timedelta(days=days)
        artifact = Artifact.objects.create(
            repository=home, digest=DIGEST[:-4] + tag.replace(".", "")[:4], pinned=f"base/python@{tag}", built_at=built,
            size_bytes=50_000_000, platform="linux/amd64",
        )  # fmt: skip
        Tag.objects.create(repository=home, name=tag, artifact=artifact, moved_at=built)
    return home


def test_what_an_operator_publishes_is_seen_by_every_project(
    browse: Callable[[str], Client], api: Callable[[str], APIClient], platforms: Repository
) -> None:
    assert "Nothing is recommended yet" in browse("developer").get(PAGE).content.decode()
    asked = {"repository": str(platforms.pk), "advice": "for <b>web apps</b>"}
    assert browse("operator").post("/base-images/", asked).status_code == 302
    said = browse("developer").get(PAGE).content.decode()
    for text in ("FROM base/python:3.12", "FROM base/python:3.11", "&lt;b&gt;web apps", "linux/amd64"):
        assert text in said
    assert said.index("python:3.12") < said.index("python:3.11")
    assert said.count('<b class="thing">Python</b>') == 1  # of both versions
    assert "is published already" in browse("operator").get("/base-images/").content.decode()
    (one,) = api("developer").get(OF_PROJECT).json()["results"]
    assert (one["repository"], one["advice"]) == ("base/python", "for <b>web apps</b>")
    assert [version["reference"] for version in one["versions"]] == ["base/python:3.12", "base/python:3.11"]
    assert all(version["built_at"] for version in one["versions"])
    assert AuditEntry.objects.filter(action="image.publish_base", result="accepted").exists()


def test_the_api_publishes_changes_and_withdraws(api: Callable[[str], APIClient], platforms: Repository) -> None:
    client = api("operator")
    assert client.put(f"{BASES}/base/python", {"advice": "old"}, format="json").status_code == 204
    assert client.put(f"{BASES}/base/python", {"advice": "new"}, format="json").status_code == 204
    assert [one["advice"] for one in client.get(BASES).json()["results"]] == ["new"]
    assert client.delete(f"{BASES}/base/python").status_code == 204
    assert client.delete(f"{BASES}/base/python").json()["code"] == "no_base"
    assert client.put(f"{BASES}/base/nothing", {}, format="json").status_code == 404
    assert client.put(f"{BASES}/Base%00", {}, format="json").status_code == 404
    assert Repository.objects.filter(pk=platforms.pk).exists()


@pytest.mark.parametrize("who", ["owner", "developer", "guest", "outsider"])
def test_only_operators_publish(
    who: str, api: Callable[[str], APIClient], browse: Callable[[str], Client], platforms: Repository
) -> None:
    assert api(who).put(f"{BASES}/base/python", {}, format="json").status_code == 404
    assert api(who).delete(f"{BASES}/base/python").status_code == 404
    assert api(who).get(BASES).status_code == 403
    assert browse(who).get("/base-images/").status_code == 403
    assert browse(who).post("/base-images/", {"repository": str(platforms.pk)}).status_code == 403
    assert browse(who).post("/base-images/withdraw/", {"repository": "base/python"}).status_code == 404
    assert not BaseImage.objects.exists()


def test_a_projects_repository_has_to_be_open_to_everybody(
    api: Callable[[str], APIClient], browse: Callable[[str], Client], cast: Cast
) -> None:
    """And is no longer shown to others once it was closed; the operator still withdraws it."""
    row = Repository.objects.create(
        name="registry.test/globex/store/base", path="globex/store/base", tenant=cast.globex, project=cast.store
    )
    address, operator = f"{BASES}/{row.name}", api("operator")
    assert operator.put(address, {}, format="json").status_code == 404
    Repository.objects.filter(pk=row.pk).update(visible=Repository.Visible.EVERYONE)
    assert operator.put(address, {}, format="json").status_code == 204
    assert len(api("developer").get(OF_PROJECT).json()["results"]) == 1
    Repository.objects.filter(pk=row.pk).update(visible=Repository.Visible.PROJECT)
    assert api("developer").get(OF_PROJECT).json()["results"] == []
    assert operator.put(address, {}, format="json").json()["code"] == "not_open_to_all"
    assert browse("operator").post("/base-images/withdraw/", {"repository": row.name}).status_code == 302
    assert not BaseImage.objects.exists()


def test_who_may_not_look_at_images_sees_none(browse: Callable[[str], Client], cast: Cast) -> None:
    assert browse("guest").get(PAGE).status_code == 403
    assert browse("outsider").get(PAGE).status_code == 404
