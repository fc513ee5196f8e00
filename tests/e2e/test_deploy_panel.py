"""The deploy panel in a real browser on a real portal: mend, write, import, see what changes, deploy."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import sign_in, write
from tests.e2e.portal import Portal

pytestmark = pytest.mark.e2e
SLOW = 90_000  # milliseconds; a real engine on a busy machine
PANEL = "/t/demo/p/shop/deploy/"
COMPOSE = """\
name: imported
services:
  web:
    image: berth/hello:1
    restart: always
    privileged: true
    ports: ["8080:8080"]
"""


def preflight(page: Page) -> Locator:
    return page.locator(".preflight")


def in_yaml(page: Page, image: str = "berth/hello:1") -> None:
    page.goto(f"{PANEL}?image={image}")
    page.get_by_role("button", name="YAML").click()
    expect(page.locator(".cm-content")).to_contain_text(image)  # not the plain field, which it takes the place of


def deployed(page: Page) -> None:
    page.get_by_role("button", name="Deploy to dev").click()
    page.wait_for_url(re.compile(r"/deployments/\d+/$"), timeout=SLOW)
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)


def test_a_red_line_is_mended_taken_back_and_deployed(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    page.goto(f"{PANEL}?image=berth/hello:7")
    expect(preflight(page)).to_contain_text("berth/hello:7 is not there")
    expect(page.get_by_role("button", name="Deploy to dev")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Use hello:2").click()
    expect(preflight(page)).to_contain_text("berth/hello:2 is there")
    page.get_by_role("button", name="Undo the last mend").click()
    expect(preflight(page)).to_contain_text("berth/hello:7 is not there")
    page.get_by_role("button", name="Use hello:2").click()
    expect(preflight(page)).to_contain_text("passed")
    page.get_by_label("Name of the app").fill("mended")
    expect(page.locator("#deploy-foot")).to_contain_text("Makes mended with release 1")
    deployed(page)


def test_what_changes_is_shown_before_it_is_done(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    page.goto(f"{PANEL}?image=berth/hello:1")
    page.get_by_label("Name of the app").fill("changing")
    deployed(page)
    page.goto(f"{PANEL}?app=changing&environment=dev")
    expect(page.locator("#deploy-checks")).to_contain_text("Nothing changes")
    page.get_by_text("Instances and ports", exact=True).click()
    page.get_by_label("Instances", exact=True).fill("2")
    page.get_by_label("Ports").fill("")
    changes = page.locator(".changes > li")
    expect(changes).to_have_count(2)
    expect(changes.nth(0)).to_contain_text("Instances of changing")
    expect(changes.nth(1)).to_have_class("is-gone")
    page.get_by_text("As text").click()
    expect(page.locator(".diff .is-gone").first).to_be_visible()


def test_the_text_shows_its_errors_at_their_line_and_completes(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    in_yaml(page)
    write(page, "# mine\nservices:\n  web:\n    image: berth/hello:1\n    privileged: true\n")
    expect(preflight(page)).to_contain_text("Line 5: services.web.privileged is refused")
    expect(page.locator(".cm-lintRange-error")).to_have_text("privileged: true")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    preflight(page).get_by_role("button", name="Take it out").click()
    editor = page.get_by_role("textbox", name="Specification")
    expect(editor).not_to_contain_text("privileged")
    expect(editor).to_contain_text("# mine")
    expect(preflight(page)).to_contain_text("is there")

    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("    dep")
    page.keyboard.press("Control+Space")
    options = page.locator(".cm-tooltip-autocomplete li")
    expect(options.filter(has_text=re.compile(r"^deploy$"))).to_be_visible()
    expect(options.filter(has_text=re.compile(r"^depends_on$"))).to_be_visible()
    options.filter(has_text=re.compile(r"^deploy$")).click()
    page.keyboard.insert_text("rep")
    page.keyboard.press("Control+Space")
    page.locator(".cm-tooltip-autocomplete li", has_text="replicas").click()
    page.keyboard.insert_text("2")
    page.get_by_role("button", name="Form", exact=True).click()
    page.get_by_text("Instances and ports", exact=True).click()
    expect(page.get_by_label("Instances", exact=True)).to_have_value("2")
    page.get_by_role("button", name="YAML").click()
    expect(page.get_by_role("textbox", name="Specification")).to_contain_text("# mine")


def test_the_keyboard_leaves_the_editor_and_the_keys_of_the_page_stay_out(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    in_yaml(page)
    editor = page.get_by_role("textbox", name="Specification")
    editor.click()
    page.keyboard.type("t?")
    expect(editor).to_contain_text("t?")
    expect(page.locator("#keys")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(editor).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Note")).to_be_focused()


def test_a_key_explains_itself(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    in_yaml(page)
    page.locator(".cm-line", has_text="replicas").get_by_text("replicas").hover()
    expect(page.locator(".cm-tooltip-hover .told")).to_have_text("How many instances run.")


def test_a_compose_file_is_imported_and_deployed(page: Page, portal: Portal, tmp_path: Path) -> None:
    sign_in(page, portal)
    page.goto(PANEL)
    page.get_by_role("button", name="Import").click()
    file = tmp_path / "docker-compose.yml"
    file.write_text(COMPOSE)
    page.get_by_label("File").set_input_files(file)
    expect(page.get_by_label("Or its text")).to_have_value(COMPOSE)
    page.get_by_role("button", name="See what it becomes").click()
    expect(page.locator(".becomes.is-refused")).to_contain_text("services.web.privileged is refused")
    expect(page.locator(".becomes.is-changed")).to_contain_text("deploy.restart_policy")
    page.get_by_label("Leave services.web.privileged out").check()
    page.get_by_role("button", name="See what it becomes").click()
    page.get_by_role("button", name="Use it as the draft").click()
    expect(page.get_by_label("Name of the app")).to_have_value("imported")
    deployed(page)
    page.goto("/t/demo/audit/")
    expect(page.locator("main")).to_contain_text("imported")


def test_what_was_typed_is_not_left_without_asking(page: Page, portal: Portal) -> None:
    sign_in(page, portal)
    in_yaml(page)
    page.get_by_role("textbox", name="Specification").click()
    page.keyboard.type("# ")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("link", name="Close").click()
    assert asked
    expect(page.get_by_role("textbox", name="Specification")).to_be_visible()
