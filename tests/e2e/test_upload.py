"""An archive is uploaded in a real browser, on a phone's width and by the keyboard, and goes on after a reload."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from launcher.image_archive import Entry, archive, pack
from launcher.paths import State
from launcher.registry import Berth, PrivateRegistry
from tests.e2e import axe
from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal
from tests.uploading.archives import busybox_layer, image

pytestmark = pytest.mark.e2e
PAGE = "/t/demo/p/shop/images/upload/"
LARGE = 20 * 2**20  # three pieces of the browser's


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Without an engine, with a registry."""
    made = Portal.prepared(tmp_path_factory.mktemp("upload"), None)
    state = State(made.state)
    state.prepare()
    registry = PrivateRegistry(state)
    registry.start("127.0.0.1", Berth("http://127.0.0.1:9/registry/token", ""))  # no client of its own asks it here
    made.start()
    try:
        yield made
    finally:
        made.stop()
        registry.destroy()


def saved(folder: Path) -> Path:
    noise = b"".join(hashlib.sha512(str(number).encode()).digest() for number in range(LARGE // 64))
    file = folder / "web.tar"
    file.write_bytes(archive([image("web:1.4", layers=[busybox_layer(), pack([Entry("noise", data=noise)])])]))
    return file


def test_it_goes_on_after_a_reload_and_ends_in_the_registry(page: Page, portal: Portal, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, portal)
    file = saved(tmp_path)
    sent: list[Route] = []

    def hold_the_second(route: Route) -> None:
        sent.append(route)
        if len(sent) != 2:
            route.continue_()

    page.route(re.compile(r"/uploads/[0-9a-f-]{36}$"), hold_the_second)
    page.goto(PAGE)
    page.get_by_label("Archive", exact=True).set_input_files(file)
    page.get_by_label("Tags").focus()
    page.keyboard.type("1.4 stable")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"Uploading web\.tar: [34]\d %"))).to_be_visible()
    stop = page.get_by_role("button", name="Stop")
    stop.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Stopped at"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe.faults(page) == []
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    expect(page.get_by_text("Choose the same file again to go on; it is kept")).to_be_visible()
    page.get_by_label("Archive", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").press("Enter")
    expect(page.get_by_text("All of web.tar is here.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"/demo/shop/web@sha256:[0-9a-f]{64}"))).to_be_visible()
    page.goto("/t/demo/p/shop/images/")
    expect(page.get_by_role("row", name=re.compile("^web web stable"))).to_be_visible()


def test_what_is_no_archive_is_refused_with_the_reason(chromium: Browser, portal: Portal, tmp_path: Path) -> None:
    """A page of its own, since the browser's console complains of every refusal."""
    page = chromium.new_context(base_url=portal.url, locale="en-GB").new_page()
    sign_in(page, portal)
    wrong = tmp_path / "notes.tar"
    wrong.write_bytes(b"these are notes\n" * 1000)
    page.goto(PAGE)
    page.get_by_label("Archive", exact=True).set_input_files(wrong)
    page.get_by_role("button", name="Upload").click()
    refused = page.get_by_role("alert").filter(has_text="This is not the archive of an image")
    expect(refused).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("notes.tar"))).to_contain_text("failed")
    page.context.close()
