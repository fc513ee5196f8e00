"""What the token server gives the account of an environment whose stage takes approved images only."""

import uuid

import pytest

from images.models import PullAccount, Repository
from images.promotion import places, services
from images.registry import accounts
from images.registry.names import parse
from tests.conftest import PASSWORD, Cast
from tests.images.doors import access, ask
from tests.promotion.stages import ADDRESS, gated

pytestmark = pytest.mark.usefixtures("registry")
WEB = "repository:acme/shop/web:pull,push"


def shown(cast: Cast, stage: str, place: str = "eaaa") -> tuple[str, str]:
    found = accounts.credentials_for(cast.shop, place=place, stage=stage)
    assert found is not None
    return found.username, found.password.reveal()


def laid(project: uuid.UUID, stage: str) -> str:
    return f"repository:{places.path_of(project, stage)}:pull,push,delete"


def test_without_a_policy_it_pulls_what_the_project_has(cast: Cast) -> None:
    assert access(ask(*shown(cast, "prod"), WEB)) == {"acme/shop/web": {"pull"}}


def test_with_one_it_pulls_what_is_laid_out_for_its_stage_and_nothing_else(cast: Cast) -> None:
    gated(cast)
    opened = Repository.objects.create(
        name=f"{ADDRESS}/globex/store/open", path="globex/store/open", tenant=cast.globex, project=cast.store,
        visible=Repository.Visible.EVERYONE,
    )  # fmt: skip
    scopes = [WEB, f"repository:{opened.path}:pull", *(laid(cast.shop.pk, stage) for stage in ("dev", "test", "prod"))]
    scopes.append(laid(cast.store.pk, "prod"))
    assert access(ask(*shown(cast, "prod"), *scopes)) == {places.path_of(cast.shop.pk, "prod"): {"pull"}}
    assert access(ask(*shown(cast, "dev", "ebbb"), WEB)) == {"acme/shop/web": {"pull"}}


def test_an_account_of_which_nobody_knows_the_stage_gets_nothing_once_there_is_a_policy(cast: Cast) -> None:
    who = shown(cast, "prod")
    PullAccount.objects.update(stage="")
    assert access(ask(*who, WEB)) == {"acme/shop/web": {"pull"}}
    gated(cast)
    assert access(ask(*who, WEB, laid(cast.shop.pk, "prod"))) == {}
    services.end_policy(cast.actor("owner"), cast.shop, stage="prod")
    assert access(ask(*who, WEB)) == {"acme/shop/web": {"pull"}}


@pytest.mark.parametrize("who", ["owner", "developer", "releaser", "guest", "outsider", "operator"])
def test_no_person_reaches_what_is_laid_out(cast: Cast, who: str) -> None:
    gated(cast)
    assert access(ask(who, PASSWORD, laid(cast.shop.pk, "prod"))) == {}


def test_no_name_of_a_tenant_or_project_leads_there(cast: Cast) -> None:
    path = places.path_of(cast.shop.pk, "prod")
    assert places.is_place(path)
    assert parse(path) is None
    for other in (f"{path}/web", f"/{path}", path.upper(), path.replace("prod", "moon"), path[:-1], f"{path}\n"):
        assert not places.is_place(other)
