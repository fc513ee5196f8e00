"""From push to production: one person builds and asks, another approves; what nobody approved gets in nowhere."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.e2e import kept_out
from tests.e2e.delivery import PEOPLE, Delivery, Stage, delivering, rated
from tests.e2e.grounds import Ground
from tests.e2e.kept_out import PAGE
from tests.e2e.portal import Portal, until
from tests.faults.caller import SHOP, Caller
from tests.scanning.advisories import CRITICAL, LOW, advisory

pytestmark = [pytest.mark.e2e, pytest.mark.both]
SLOW = 90_000  # milliseconds; a real engine on a busy machine
SECONDS = 120.0
WEB = f"{SHOP}/apps/web"
PROD = f"{WEB}/environments/prod"
GOOD = {"bash": "5.2-1", "openssl": "3.0.1-1"}
BAD = {"bash": "5.0-1", "openssl": "3.0.1-1"}
REFUSED, APPROVED = 1, 2  # the numbers of the releases with the one image and with the other
NEVER = re.compile(r"is not approved for production")
SUSPENDED = re.compile(r"is suspended in production")
KNOWN = (
    advisory("CVE-2026-1", "Debian:12", "bash", fixed="5.3-1", vector=LOW),
    advisory("CVE-2026-2", "Debian:12", "bash", fixed="5.1-1", vector=CRITICAL),
)
NEWS = advisory("CVE-2026-3", "Debian:12", "openssl", fixed="3.0.2-1", vector=CRITICAL)


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Delivery]:
    with delivering(ground, tmp_path_factory.mktemp("delivery")) as made:
        yield made


@pytest.fixture(scope="module")
def portal(delivery: Delivery) -> Portal:
    return delivery.portal


@pytest.fixture
def people(chromium: Browser, portal: Portal) -> Iterator[dict[str, Page]]:
    """Everybody in a browser of their own, signed in."""
    contexts = {name: chromium.new_context(base_url=portal.url, locale="en-GB") for name in PEOPLE}
    pages = {name: context.new_page() for name, context in contexts.items()}
    for name, page in pages.items():
        page.set_default_timeout(SLOW)
        page.goto("/accounts/sign-in/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(portal.password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name=f"Hello, {name}").wait_for()
    yield pages
    for context in contexts.values():
        context.close()


def deploy(page: Page, image: str, environment: str) -> None:
    """Put an image into an environment by the deploy panel, and wait until it runs."""
    asked = urlencode({"app": "web", "environment": environment, "image": image})
    page.goto(f"{PAGE}deploy/?{asked}")
    page.get_by_role("button", name=f"Deploy to {environment}").click()
    try:
        page.wait_for_url(re.compile(r"/deployments/\d+/$"), timeout=SLOW)
    except TimeoutError:
        pytest.fail(page.inner_text("body")[-3000:])
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=SLOW)


def ask(page: Page, portal: Portal, digest: str) -> str:
    """Request the promotion of an image to production; the address of the request."""
    page.goto(f"{PAGE}promotion/ask/?stage=prod&digest={digest}")
    page.get_by_label("Why").fill("all checks passed")
    page.get_by_role("button", name="Ask for it").click()
    page.wait_for_url(re.compile(r"/promotion/[0-9a-f-]{36}/$"))
    expect(page.get_by_text("This needs “image.approve” here", exact=False)).to_be_visible()
    return page.url.removeprefix(portal.url)


def approve(page: Page, request: str) -> None:
    page.goto(request)
    page.get_by_role("button", name="Approve").click()


def passport(caller: Caller, digest: str) -> Any:
    return caller.read(f"{SHOP}/passports/{digest}")


def test_from_push_to_production(delivery: Delivery, people: dict[str, Page]) -> None:
    dora, rita, portal, ground = people["dora"], people["rita"], delivery.portal, delivery.ground
    builder, releaser, owner = (delivery.caller(name) for name in ("dora", "rita", "owner"))
    delivery.learn(*KNOWN)
    good = delivery.push("1", "1", packages=GOOD)
    bad = delivery.push("2", "2", packages=BAD)
    rated(builder, good, "B")
    rated(builder, bad, "F")

    made = builder.post(f"{SHOP}/apps", {"name": "web"})
    assert made.status == 201, made.body
    deploy(dora, delivery.image("2"), "dev")
    deploy(dora, delivery.image("1"), "dev")
    asks = owner.send("PUT", f"{SHOP}/stages/prod/policy", {"approvers": 1, "rating": "B"})
    assert asks.status == 200, asks.body

    refused_by_its_scan(dora, rita, portal, releaser, bad)
    request = ask(dora, portal, good)
    rita.goto(request)
    expect(rita.get_by_text("B · B or better is asked for")).to_be_visible()
    approve(rita, request)
    expect(rita.get_by_text("Approved. It may run there now.")).to_be_visible()
    expect(rita.get_by_text("with scan B", exact=False)).to_be_visible()

    deploy(rita, delivery.image("1"), "prod")
    held = passport(releaser, good)
    assert [(one["stage"], one["suspended_at"]) for one in held["approvals"]] == [("prod", None)]
    assert held["builders"] == ["dora"]
    assert [one["scan"]["rating"] for one in held["promotions"][0]["decisions"]] == ["B"]
    assert {one["environment"] for one in held["runs"]} == {"dev", "prod"}
    stage = delivery.stage("prod")
    until(lambda: ground.fetched(f"{delivery.address}/{stage.path}@{good}"), seconds=SECONDS)

    twin = never_approved(delivery, builder, releaser, good, bad)
    on_no_page(delivery, rita, releaser)
    fetched_by_nobody(delivery, stage, good, bad, twin)
    withdrawn(delivery, stage, rita, releaser, good)
    approve(rita, ask(dora, portal, good))
    expect(rita.get_by_text("Approved. It may run there now.")).to_be_visible()
    fetched_anew(delivery, stage, good)
    suspended_by_news(delivery, stage, rita, releaser, good)
    not_from_standstill(rita, releaser)


def refused_by_its_scan(dora: Page, rita: Page, portal: Portal, releaser: Caller, bad: str) -> None:
    request = ask(dora, portal, bad)
    rita.goto(request)
    expect(rita.get_by_text("F · B or better is asked for")).to_be_visible()
    approve(rita, request)
    expect(rita.get_by_text("The scan says F", exact=False).first).to_be_visible()
    held = passport(releaser, bad)
    assert (held["scan"]["rating"], held["approvals"]) == ("F", [])
    rita.goto(request)
    rita.get_by_label("Why").fill("mend bash first")
    rita.get_by_role("button", name="Refuse", exact=True).click()
    expect(rita.get_by_text("rita refused it")).to_be_visible()
    expect(rita.get_by_text("mend bash first", exact=False).first).to_be_visible()


def never_approved(delivery: Delivery, builder: Caller, releaser: Caller, good: str, bad: str) -> str:
    """By its tag, its digest, another name, a tag that moved, an earlier release, and from nowhere: by the API.

    And another image of the very layers that are approved; its digest.
    """
    address, listed = f"{WEB}/deployments", f"{SHOP}/images/{delivery.address}/demo/shop/other/tags"
    assert delivery.push("2", "copy", name="other", packages=BAD) == bad
    twin = delivery.push("1", "twin", name="other", packages=GOOD, built="once-more")
    assert twin != good
    assert delivery.layers("twin", name="other") == delivery.layers("1")
    until(lambda: told_of(builder, listed) >= {"copy", "twin"}, seconds=SECONDS)
    delivery.push("2", "1", packages=BAD)  # the tag by which the approved one was known
    until(lambda: "1" in passport(builder, bad)["image"]["tags"], seconds=SECONDS)
    for image in [*ways(delivery), f"{delivery.address}/demo/shop/web@{bad}", "elsewhere.test/web:1"]:
        spec = {"services": {"web": {"image": image, "ports": ["8080"]}}}
        for path, body in ((address, {"image": image}), (address, {"spec": spec}),
                           (f"{SHOP}/apps", {"name": "fresh", "spec": spec})):  # fmt: skip
            answer = releaser.post(path, body | {"environment": "prod"})
            assert answer.status == 422, (image, answer.body)
            assert "image_not_approved" in {one["code"] for one in answer.json["errors"]}, (image, answer.body)
    sent = builder.post(f"{WEB}/environments/dev/rollback", {"release": REFUSED})
    assert sent.status == 202, sent.body
    assert builder.ended(sent.json)["state"] == "succeeded", "what production refuses is fine where nobody asks"
    for path, release in ((address, {"environment": "prod", "release": REFUSED}),
                          (f"{PROD}/rollback", {"release": REFUSED})):  # fmt: skip
        refused(releaser.post(path, release))
    return twin


def ways(delivery: Delivery) -> list[str]:
    """By name: its own tag, the tag that moved, another repository, and another image of the same layers there."""
    others = (delivery.image(tag, name="other") for tag in ("copy", "twin"))
    return [delivery.image("2"), delivery.image("1"), *others]


def told_of(caller: Caller, listed: str) -> set[str]:
    answer = caller.get(listed)
    return {one["name"] for one in answer.json["results"]} if answer.status == 200 else set()


def on_no_page(delivery: Delivery, rita: Page, releaser: Caller) -> None:
    """The same by hand: chosen, written and imported in the panel, and by going back to an earlier release."""
    before = made_there(releaser)
    assert before[0] == APPROVED
    for image in ways(delivery):
        kept_out.by_the_panel(rita, image, NEVER)
    kept_out.by_going_back(rita, REFUSED, NEVER)
    assert made_there(releaser) == before


def made_there(releaser: Caller) -> tuple[int, int]:
    """Which release serves production, and how often something was begun there."""
    begun = releaser.read(f"{WEB}/deployments?environment=prod")["results"]
    return releaser.read(PROD)["release_number"], len(begun)


def refused(answer: Any) -> None:
    assert (answer.status, answer.json["code"]) == (409, "image_not_approved"), answer.body


def fetched_by_nobody(delivery: Delivery, stage: Stage, good: str, bad: str, twin: str) -> None:
    """What hosts get with production's account: what is approved from the stage's repository, and nothing else.

    With the account of another environment they get not even that.
    """
    ground, laid = delivery.ground, f"{delivery.address}/{stage.path}"
    assert delivery.fetches(stage.account, f"{laid}@{good}")
    assert ground.tries(stage.place, stage.account, f"{laid}@{good}", home=delivery.home)
    dev, shop = delivery.stage("dev"), f"{delivery.address}/demo/shop"
    assert not delivery.fetches(dev.account, f"{laid}@{good}")
    if ground.asks_each_time:
        assert not ground.tries(dev.place, dev.account, f"{laid}@{good}", home=delivery.home)
    for reference in (f"{laid}@{bad}", f"{laid}:1", f"{shop}/web:1", f"{shop}/web@{bad}", f"{shop}/web@{good}",
                      f"{shop}/other:copy", f"{shop}/other@{bad}", f"{shop}/other:twin", f"{laid}@{twin}"):  # fmt: skip
        assert not delivery.fetches(stage.account, reference), reference
        if ground.asks_each_time or not ground.fetched(reference):  # else it asks nobody for what dev runs there
            assert not ground.tries(stage.place, stage.account, reference, home=delivery.home), reference


def withdrawn(delivery: Delivery, stage: Stage, rita: Page, releaser: Caller, good: str) -> None:
    """A person withdraws the approval: it runs on, starts by no way, and no host fetches it again."""
    (approval,) = releaser.read(f"{SHOP}/approvals")["results"]
    assert [(one["app"], one["environment"]) for one in approval["runs"]] == [("web", "prod")]
    gone = releaser.post(f"{SHOP}/approvals/{approval['id']}/suspend", {"reason": "a hole was found"})
    assert gone.status == 200, gone.body
    starts_no_more(delivery, stage, rita, releaser, good)


def starts_no_more(delivery: Delivery, stage: Stage, rita: Page, releaser: Caller, good: str) -> None:
    """Restart, scale, going back, deploying its release again; and the engine's own starting anew."""
    ground = delivery.ground
    here = releaser.read(PROD)
    (service,) = here["services"]
    more: dict[str, Any] = {"service": service["name"], "instances": 4}
    again: dict[str, Any] = {"release": here["release_number"]}
    for path, body in ((f"{PROD}/restart", {}), (f"{PROD}/scale", more), (f"{PROD}/rollback", again),
                       (f"{WEB}/deployments", again | {"environment": "prod"})):  # fmt: skip
        refused(releaser.post(path, body))
    before = made_there(releaser)
    kept_out.by_restarting(rita, SUSPENDED)
    kept_out.by_scaling(rita, 4, SUSPENDED)
    kept_out.by_going_back(rita, REFUSED, NEVER)
    assert made_there(releaser) == before
    laid = f"{delivery.address}/{stage.path}@{good}"
    until(lambda: not delivery.fetches(stage.account, laid), seconds=SECONDS)
    assert releaser.read(PROD)["running"] == here["running"] > 0
    assert ground.serving(good) == here["running"], "a suspension ends nothing that runs"
    for lost in (False, True) if ground.asks_each_time else (True,):
        ground.end(good, lost=lost)
        until(lambda: ground.refused(good), seconds=SECONDS)
        assert ground.serving(good) == 0


def fetched_anew(delivery: Delivery, stage: Stage, good: str) -> None:
    """Approved again: no host holds it any more, so the engine fetches it, with the stage's account, and starts it."""
    laid = f"{delivery.address}/{stage.path}@{good}"
    until(lambda: delivery.fetches(stage.account, laid), seconds=SECONDS)
    until(lambda: delivery.ground.serving(good) > 0, seconds=2 * SECONDS, said=lambda: delivery.ground.refused(good))


def suspended_by_news(delivery: Delivery, stage: Stage, rita: Page, releaser: Caller, good: str) -> None:
    """What is learnt later of one of its packages suspends it, says why, and lists where it runs."""
    until(lambda: releaser.read(PROD)["running"] > 0, seconds=SECONDS)
    assert "is F" in delivery.learn(*KNOWN, NEWS)
    until(lambda: releaser.read(f"{SHOP}/approvals")["results"][0]["suspended_at"], seconds=SECONDS)
    (approval,) = releaser.read(f"{SHOP}/approvals")["results"]
    assert "The scan says F" in approval["why"]
    assert [(one["app"], one["environment"]) for one in approval["runs"]] == [("web", "prod")]
    rita.goto(f"{PAGE}promotion/")
    row = rita.get_by_role("row").filter(has_text=good[:19])
    expect(row).to_contain_text("suspended")
    expect(row).to_contain_text("The scan says F")
    expect(row).to_contain_text("web in prod")
    held = passport(releaser, good)
    assert held["scan"]["rating"] == "F"
    seen = [one["scan"]["rating"] for asked in held["promotions"] for one in asked["decisions"]]
    assert seen == ["B", "B"], "what approvers saw stays as they saw it"
    starts_no_more(delivery, stage, rita, releaser, good)


def not_from_standstill(rita: Page, releaser: Caller) -> None:
    """Stopping is always possible; what was stopped starts by neither way, and not by asking for instances."""
    sent = releaser.post(f"{PROD}/stop")
    assert sent.status == 202, sent.body
    ended = releaser.ended(sent.json)
    assert ended["state"] == "succeeded", ended
    before, (service,) = made_there(releaser), releaser.read(PROD)["services"]
    for path, body in ((f"{PROD}/start", {}), (f"{PROD}/scale", {"service": service["name"], "instances": 1})):
        refused(releaser.post(path, body))
    kept_out.by_starting(rita, SUSPENDED)
    kept_out.by_scaling(rita, 1, SUSPENDED)
    assert made_there(releaser) == before
