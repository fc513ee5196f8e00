"""Second factors in a real browser, with the passkeys of Chromium's own virtual authenticator."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import axe
from tests.e2e.browser import sign_in
from tests.e2e.portal import Portal
from tests.factors.keys import code_of

pytestmark = pytest.mark.e2e
SIGN_IN, SECURITY = "/accounts/sign-in/", "/accounts/security/"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Without an engine; at `localhost`, since browsers have no passkeys for numbers."""
    made = Portal.prepared(tmp_path_factory.mktemp("factors"), None)
    made.start()
    made.url = made.url.replace("127.0.0.1", "localhost")
    try:
        yield made
    finally:
        made.stop()


class Device:
    """The laptop's own authenticator: asks nothing, and can be told that its person walked away."""

    def __init__(self, page: Page) -> None:
        self.talk = page.context.new_cdp_session(page)
        self.talk.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        more = {"isUserVerified": True, "automaticPresenceSimulation": True}
        self.id = self.talk.send("WebAuthn.addVirtualAuthenticator", {"options": options | more})["authenticatorId"]

    def verifies(self, does: bool) -> None:
        self.talk.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": does})

    def keys(self) -> list[Any]:
        return list(self.talk.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"])


def sign_out(page: Page) -> None:
    page.context.request.post("/accounts/sign-out/", headers=forgery_token(page))
    page.goto(SIGN_IN)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def forgery_token(page: Page) -> dict[str, str]:
    kept = {one["name"]: one["value"] for one in page.context.cookies()}
    return {"X-CSRFToken": kept["berth_csrf"], "Referer": page.url}


def password(page: Page, portal: Portal) -> None:
    page.goto(SIGN_IN)
    page.get_by_label("User name").fill("owner")
    page.get_by_label("Password").fill(portal.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()


def greeted(page: Page) -> None:
    expect(page.get_by_role("heading", name="Hello, owner")).to_be_visible()


def set_up_app(page: Page) -> str:
    page.goto(SECURITY)
    page.get_by_role("link", name="Set up an app").click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.get_by_label("Secret", exact=True).inner_text().replace(" ", "")
    assert not axe.faults(page)
    page.get_by_label("Code").fill(code_of(secret, later=-1))
    page.get_by_role("button", name="Set up").click()
    return secret


def keep_codes(page: Page) -> list[str]:
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    codes = page.get_by_label("Recovery codes", exact=True).inner_text().split()
    assert not axe.faults(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_text().split() == codes
    assert download.value.suggested_filename == "berth-recovery-codes.txt"
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 codes are left")).to_be_visible()
    assert codes[0] not in page.content()
    return codes


def add_passkey(page: Page, device: Device) -> None:
    device.verifies(False)
    page.get_by_label("Name", exact=True).fill("my laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="Your browser made no passkey")).to_be_visible()
    assert device.keys() == []
    device.verifies(True)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey “my laptop” is added.").first).to_be_visible()
    assert len(device.keys()) == 1
    expect(page.get_by_role("cell", name="localhost")).to_be_visible()
    assert not axe.faults(page)


def test_from_a_password_to_a_passkey_and_back(page: Page, portal: Portal) -> None:
    device = Device(page)
    sign_in(page, portal)
    secret = set_up_app(page)
    codes = keep_codes(page)
    add_passkey(page, device)

    sign_out(page)
    device.verifies(False)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Your browser gave no passkey.")).to_be_visible()
    assert not axe.faults(page)
    device.verifies(True)
    page.get_by_role("button", name="Use a passkey").click()
    greeted(page)

    sign_out(page)
    password(page, portal)
    assert not axe.faults(page)
    used = code_of(secret)
    page.get_by_label("Code").fill(used)
    page.get_by_label("Code").press("Enter")
    greeted(page)

    sign_out(page)
    password(page, portal)
    page.get_by_label("Code").fill(used)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The code is wrong or too old.")).to_be_visible()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    greeted(page)
    page.goto(SECURITY)
    expect(page.get_by_text("9 codes are left")).to_be_visible()

    sign_out(page)
    password(page, portal)
    page.get_by_role("button", name="Use a passkey").click()
    greeted(page)
    shows_it_again_by_passkey(page)
    without_its_passkey(page, device)


def shows_it_again_by_passkey(page: Page) -> None:
    page.goto(f"/accounts/security/prove/?next={SECURITY}")
    assert not axe.faults(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(f"{SECURITY}$"))


def without_its_passkey(page: Page, device: Device) -> None:
    page.get_by_role("button", name="Remove my laptop").click()
    expect(page.get_by_text("No passkey yet")).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This passkey does not open Berth here.")).to_be_visible()
    assert len(device.keys()) == 1, "the device still has it; Berth does not"


def test_at_a_number_the_page_says_why_there_are_no_passkeys(page: Page, portal: Portal) -> None:
    """The address of `./berth up`. Another person, since the one above has an app now."""
    portal.manage(
        "shell", "-c", f"from tenants.models import User; User.objects.create_user('ann', password={portal.password!r})"
    )
    number = portal.url.replace("localhost", "127.0.0.1")
    page.goto(number + SIGN_IN)
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(portal.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Hello, ann")).to_be_visible()
    page.goto(number + SECURITY)
    expect(page.get_by_role("heading", name="Passkeys do not work at this address")).to_be_visible()
    assert not axe.faults(page)
