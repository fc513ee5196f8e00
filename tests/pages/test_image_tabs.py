"""Where everything about images stands: the tabs that its pages share, and what the frame marks meanwhile."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from images.models import Artifact
from images.registry import names as registry
from tests.conftest import Cast
from tests.promotion.stages import approved, gated, pushed

SHOP = "/t/acme/p/shop/"
IMAGES = ("images/", "promotion/", "settings/keeping/", "image-copies/", "replication/", "settings/registries/")
SETTINGS = ("settings/", "settings/tokens/", "settings/webhooks/", "lifecycle/")
Browse = Callable[[str], Client]


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def tabs(page: str) -> dict[str, bool]:
    """The address of each tab, and whether it is the present one."""
    line = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    assert line is not None
    found = re.findall(r'<a href="([^"]+)"( aria-current="page")?>', line[0])
    return {address: bool(here) for address, here in found}


def marked(page: str) -> list[str]:
    """What the navigation of the frame marks as the present place."""
    side = page.partition('id="side"')[2].partition("</nav>")[0]
    return [one[0] for one in re.findall(r'<a href="([^"]+)"([^>]*)>', side) if "aria-current" in one[1]]


@pytest.mark.parametrize("here", IMAGES)
def test_pages_about_images_share_their_tabs(here: str, browse: Browse, cast: Cast) -> None:
    page = text(browse("owner"), SHOP + here)
    assert tabs(page) == {SHOP + one: one == here for one in IMAGES}
    assert marked(page) == [f"{SHOP}images/"]


@pytest.mark.parametrize("here", SETTINGS)
def test_what_is_left_stands_in_the_settings(here: str, browse: Browse, cast: Cast) -> None:
    page = text(browse("owner"), SHOP + here)
    assert tabs(page) == {SHOP + one: one == here for one in SETTINGS}
    assert marked(page) == [f"{SHOP}settings/"]


def test_connecting_a_cluster_belongs_to_the_clusters(browse: Browse, cast: Cast) -> None:
    for address in ("/connect/", "/connect/by/kubernetes/"):
        assert marked(text(browse("operator"), address)) == ["/clusters/"]


@pytest.fixture
def two(cast: Cast) -> tuple[Artifact, Artifact]:
    """One image that is approved for prod and one that is not."""
    good, other = pushed(cast, "a", tag="1"), pushed(cast, "b", tag="2")
    gated(cast)
    approved(cast, good)
    return good, other


def reached(part: str) -> list[str]:
    """The stages that the boxes of a part of a page tell to be open."""
    return re.findall(r'<span class="env is-(\w+)">', part)


def test_a_repository_shows_which_stages_an_image_may_run_in(
    two: tuple[Artifact, Artifact], browse: Browse, cast: Cast
) -> None:
    page = text(browse("developer"), f"{SHOP}images/repositories/web/")
    table = page.partition("<tbody>")[2]
    rows = {row.digest: table.partition(row.digest[:19])[2].partition("</tr>")[0] for row in two}
    good, other = two
    assert reached(rows[good.digest]) == ["dev", "test", "prod"]
    assert reached(rows[other.digest]) == ["dev", "test"]


def test_the_deploy_panel_shows_it_too(
    two: tuple[Artifact, Artifact], browse: Browse, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "address", lambda: two[0].repository.name.partition("/")[0])
    page = text(browse("developer"), f"{SHOP}deploy/?environment=dev")
    lines = {name: part for name, part in re.findall(r"<b>(shop/web:\d)</b>(.*?)</ul>", page, re.DOTALL)}
    assert reached(lines["shop/web:1"]) == ["dev", "test", "prod"]
    assert reached(lines["shop/web:2"]) == ["dev", "test"]


def test_without_a_policy_no_stages_are_drawn(browse: Browse, cast: Cast) -> None:
    pushed(cast, "a")
    assert 'class="rungs"' not in text(browse("developer"), f"{SHOP}images/repositories/web/")
