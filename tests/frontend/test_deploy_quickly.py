"""The deploy panel of a portal in a real browser, its answers held back: who is quick is not sent back to a field."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from django.test import Client
from playwright.sync_api import Page, Request, Route, expect

from apps.services import create_app
from backends.contract import ImageInfo
from images.services import offer_image
from tests.conftest import Cast
from tests.frontend.answered import HOME, Answer, until_held

pytestmark = pytest.mark.browser
PANEL = "/t/acme/p/shop/deploy/"


@pytest.fixture(scope="module", autouse=True)
def _beside_the_browser() -> Iterator[None]:
    """Its loop takes this thread as long as it lives, and the rows are read in the same one: nothing runs at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def panel(cast: Cast, browse: Callable[[str], Client]) -> str:
    """The panel as the portal draws it, with one image to choose."""
    digest = f"sha256:{'a' * 64}"
    info = ImageInfo(reference="berth/hello:1", pinned=f"berth/hello@{digest}", digest=digest, size_bytes=1)
    offer_image(cast.actor("operator"), cast.cluster, repository="berth/hello", tag="1", info=info)
    return browse("developer").get(PANEL).content.decode()


@pytest.fixture
def opened(panel: str, page: Page, answers: dict[str, Answer], browse: Callable[[str], Client]) -> SimpleNamespace:
    """The page, what a choice asks the server (held back, `answer` lets the portal answer it), what the button sent."""
    held: list[Route] = []
    sent: list[Request] = []

    def take(route: Route) -> None:
        if route.request.method != "POST":
            route.fulfill(body=panel, content_type="text/html")
        elif route.request.headers.get("hx-request"):
            held.append(route)
        else:
            sent.append(route.request)
            route.fulfill(body="<title>deployed</title>", content_type="text/html")

    def answer() -> None:
        route = held.pop(0)
        kind = route.request.headers["content-type"]
        said = browse("developer").generic("POST", PANEL, route.request.post_data_buffer or b"", content_type=kind)
        route.fulfill(status=said.status_code, body=said.content.decode(), content_type="text/html")

    page.route(re.compile(re.escape(PANEL)), take)
    page.goto(HOME + PANEL)
    return SimpleNamespace(page=page, held=held, sent=sent, answer=answer)


def chosen(opened: SimpleNamespace) -> Page:
    """The page once the image was chosen, while the answer to that is held back."""
    page: Page = opened.page
    page.get_by_role("radio", name="berth/hello:1").check()
    until_held(page, opened.held, 1)
    return page


def test_deploy_right_after_an_image_was_chosen(opened: SimpleNamespace) -> None:
    """The server has not said yet what the app is called: it fills that in when it deploys, too."""
    page = chosen(opened)
    expect(page.get_by_label("Name of the app")).to_have_value("")
    page.get_by_role("button", name="Deploy to dev").click()
    expect(page).to_have_title("deployed")
    (request,) = opened.sent
    body = request.post_data or ""
    assert "go=deploy" in body
    assert "image=berth%2Fhello%3A1" in body


def test_a_name_typed_before_the_answer_stays(opened: SimpleNamespace) -> None:
    """The answer proposes the image's own name; whoever has typed another by then and gone on keeps it."""
    page = chosen(opened)
    name = page.get_by_label("Name of the app")
    name.fill("fragile")
    page.get_by_label("Find an image").focus()
    opened.answer()
    expect(page.get_by_role("radio", name="berth/hello:1")).to_have_attribute("checked", "")
    expect(name).to_have_value("fragile")


def test_an_answer_between_down_and_up_of_the_button_loses_no_click(opened: SimpleNamespace) -> None:
    page = chosen(opened)
    opened.answer()
    expect(page.get_by_label("Name of the app")).to_have_value("hello")
    page.get_by_label("Name of the app").fill("fragile")
    until_held(page, opened.held, 1)
    page.evaluate("document.querySelector('#deploy-checks').dataset.old = 'old'")
    page.get_by_role("button", name="Deploy to dev").hover()
    page.mouse.down()
    until_held(page, opened.held, 2)  # leaving the field asks anew, and nobody waits for the first any more
    opened.held.pop(0)
    opened.answer()
    expect(page.locator("#deploy-checks[data-old]")).to_have_count(0)
    page.mouse.up()
    expect(page).to_have_title("deployed")
    assert "name=fragile" in (opened.sent[0].post_data or "")


def test_a_late_answer_does_not_refuse_what_was_mended_meanwhile(cast: Cast, opened: SimpleNamespace) -> None:
    """The image's own name is taken; whoever typed another before the answer came is not refused for the first."""
    create_app(cast.actor("developer"), cast.shop, name="hello")
    page = chosen(opened)
    page.get_by_label("Name of the app").fill("fragile")
    page.get_by_role("button", name="Deploy to dev").hover()
    opened.answer()
    expect(page.get_by_role("radio", name="berth/hello:1")).to_have_attribute("checked", "")
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_title("deployed")
    assert "name=fragile" in (opened.sent[0].post_data or "")


@pytest.mark.parametrize("before", [0, 1], ids=["asked after it", "asked before it"])
def test_the_newest_answer_decides(cast: Cast, opened: SimpleNamespace, before: int) -> None:
    """Whether or not it was asked before the late one filled in what the image tells."""
    create_app(cast.actor("developer"), cast.shop, name="taken")
    page = chosen(opened)
    page.get_by_label("Name of the app").fill("taken")
    until_held(page, opened.held, 1 + before)
    opened.answer()
    expect(page.get_by_role("radio", name="berth/hello:1")).to_have_attribute("checked", "")
    button = page.get_by_role("button", name="Deploy to dev")
    expect(button).not_to_have_attribute("aria-disabled", "true")
    until_held(page, opened.held, 1)
    opened.answer()
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#deploy-foot")).to_contain_text("must be mended")
