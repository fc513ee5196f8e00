"""The ways of the pages to run an image, each tried by hand with one that may not run where it is put."""

import re
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import write

PAGE = "/t/demo/p/shop/"
APP = f"{PAGE}apps/web/"
HERE = urlencode({"environment": "prod"})
SPECIFICATION = "name: web\nservices:\n  web:\n    image: {image}\n    ports: ['8080']\n"
SEND_ANYWAY = "one => { one.type = 'submit'; one.name = 'go'; one.value = 'deploy'; one.form.requestSubmit(one) }"


def by_the_panel(page: Page, image: str, said: re.Pattern[str]) -> None:
    """Chosen, written and imported: the panel says so, shuts its button, and refuses what is sent all the same."""
    for fill in (_chosen, _written, _imported):
        fill(page, image)
        expect(page.locator("#deploy-checks").get_by_text(said).first).to_be_visible()
        button = page.get_by_role("button", name="Deploy to prod")
        expect(button).to_have_attribute("aria-disabled", "true")
        with page.expect_response(lambda answer: answer.request.method == "POST" and answer.status != 200) as sent:
            button.evaluate(SEND_ANYWAY)
        assert sent.value.status == 422, (fill, image, sent.value.status)
        expect(page.locator("#deploy").get_by_text(said).first).to_be_visible()


def _chosen(page: Page, image: str) -> None:
    page.goto(f"{PAGE}deploy/?{urlencode({'app': 'web', 'environment': 'prod', 'image': image})}")


def _written(page: Page, image: str) -> None:
    page.goto(f"{PAGE}deploy/?{urlencode({'app': 'web', 'environment': 'prod'})}")
    page.get_by_role("button", name="YAML").click()
    expect(page.locator(".cm-content")).to_contain_text("image")  # not the plain field, which it takes the place of
    write(page, SPECIFICATION.format(image=image))


def _imported(page: Page, image: str) -> None:
    page.goto(f"{PAGE}deploy/?{urlencode({'app': 'web', 'environment': 'prod'})}")
    page.get_by_role("button", name="Import").click()
    page.get_by_label("Or its text").fill(SPECIFICATION.format(image=image))
    page.get_by_role("button", name="See what it becomes").click()
    page.get_by_role("button", name="Use it as the draft").click()


def by_going_back(page: Page, release: int, said: re.Pattern[str]) -> None:
    """From the list of releases and from the release's own page."""
    for address, opens in ((f"{APP}releases/", f"Roll back to {release}"),
                           (f"{APP}releases/{release}/", f"Roll back prod to {release}")):  # fmt: skip
        page.goto(f"{address}?{HERE}")
        page.get_by_role("button", name=opens, exact=True).click()
        dialog = page.get_by_role("dialog")
        _refused(page, dialog.get_by_role("button", name=f"Roll back prod to {release}", exact=True), said)


def by_restarting(page: Page, said: re.Pattern[str]) -> None:
    page.goto(f"{APP}?{HERE}")
    page.get_by_role("button", name="Restart", exact=True).click()
    _refused(page, page.get_by_role("dialog").get_by_role("button", name="Restart in prod"), said)


def by_scaling(page: Page, instances: int, said: re.Pattern[str]) -> None:
    page.goto(f"{APP}?{HERE}")
    page.get_by_role("button", name="Scale", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Instances").fill(str(instances))
    _refused(page, dialog.get_by_role("button", name="Scale in prod"), said)


def by_starting(page: Page, said: re.Pattern[str]) -> None:
    """Of an app that was stopped; it asks nothing before it starts."""
    page.goto(f"{APP}?{HERE}")
    _refused(page, page.get_by_role("button", name="Start", exact=True), said)


def _refused(page: Page, button: Locator, said: re.Pattern[str]) -> None:
    with page.expect_response(lambda answer: answer.request.method == "POST" and APP in answer.url) as sent:
        button.click()
    assert sent.value.status == 409, (button, sent.value.status)
    expect(page.get_by_text(said).first).to_be_visible()
