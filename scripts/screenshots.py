"""`make shots`: the pictures of README and guides, taken by a real browser from a real portal on a real engine.

It starts a portal of its own in a temporary folder and takes it away again (root, as `./berth up`). With `--all FOLDER`
it takes every page of the catalogue at three widths, in both themes and languages, into that folder instead.
"""

import argparse
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, StorageState, TimeoutError

from benchmarks.browser import browser, program, signed_in
from benchmarks.client import Client
from benchmarks.deploys import finished
from benchmarks.portal import BASE, portal
from launcher.paths import ROOT
from scripts.catalogue import SIGHTS

TARGET = ROOT / "docs" / "img"
APP = "hello"
SETTLED_MS = 1500
PATIENCE_MS = 120_000
ADDRESSES = {sight.name: sight.address for sight in SIGHTS}
WIDTHS = {"wide": (1440, 900), "middle": (1024, 768), "narrow": (390, 844)}
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-hans")


@dataclass(frozen=True)
class Look:
    """How a page is seen."""

    width: int = 1280
    height: int = 800
    theme: str = "light"
    language: str = "en"
    scale: int = 2


PICTURES: dict[str, tuple[str, Look]] = {
    # file: (page of the catalogue, how it is seen)
    "home": ("home", Look()),
    "project": ("project", Look()),
    "deploy": ("deploy", Look()),
    "deployment": ("deployment", Look()),
    "failed": ("failed", Look()),
    "app": ("app", Look()),
    "logs": ("logs", Look()),
    "releases": ("releases", Look()),
    "audit": ("audit", Look()),
    "project-dark": ("project", Look(theme="dark")),
    "app-narrow": ("app", Look(width=390, height=844)),
    "project-chinese": ("project", Look(language="zh-hans")),
}


def spec(image: str) -> dict[str, Any]:
    web = {"image": image, "ports": ["8080"], "deploy": {"replicas": 3, "resources": {"limits": {"memory": "64M"}}}}
    return {"services": {"web": web}}


def story(client: Client) -> None:
    """What there is to see: two releases in dev, one each in test and prod, and one that does not start."""
    client.post(f"{BASE}/apps", {"name": APP, "title": "Hello"}, wanted=201)
    for environment, image in (("dev", "berth/hello:1"), ("dev", "berth/hello:2"), ("test", "berth/hello:1")):
        deploy(client, APP, {"environment": environment, "spec": spec(image)})
    deploy(client, APP, {"environment": "prod", "release": 1})
    client.post(f"{BASE}/apps", {"name": "broken"}, wanted=201)
    deploy(client, "broken", {"environment": "dev", "spec": spec("berth/hello:crash")}, state="failed")


def deploy(client: Client, app: str, sent: dict[str, Any], *, state: str = "succeeded") -> None:
    answer = client.post(f"{BASE}/apps/{app}/deployments", sent, wanted=202)
    finished(client, answer.headers["Location"], state=state)


def take(opened: Browser, base: str, cookies: StorageState, pictures: Iterable[tuple[Path, str]], look: Look) -> None:
    """Pictures of addresses seen in one way, each as high as a screen, one after the other in one window."""
    context = opened.new_context(
        base_url=base,
        storage_state=cookies,
        viewport={"width": look.width, "height": look.height},
        device_scale_factor=look.scale,
        reduced_motion="reduce",
    )
    chosen = {"theme": look.theme, "language": look.language}
    context.add_cookies([{"name": key, "value": text, "url": base} for key, text in chosen.items()])
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    for file, address in pictures:
        page.goto(address, wait_until="load")
        page.wait_for_function("document.fonts.status === 'loaded'")
        with suppress(TimeoutError):  # a page with an open stream is never idle; it is drawn all the same
            page.wait_for_load_state("networkidle", timeout=SETTLED_MS)
        page.screenshot(path=file, animations="disabled")
        print(f"{file}  {file.stat().st_size // 1024} KiB")  # noqa: T201 -- a script's output
    context.close()


def take_some(opened: Browser, base: str, cookies: StorageState) -> None:
    """Those of README and guides."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, (sight, look) in PICTURES.items():
        take(opened, base, cookies, [(TARGET / f"{name}.png", ADDRESSES[sight])], look)


def take_all(opened: Browser, base: str, cookies: StorageState, folder: Path) -> None:
    for (name, (width, height)), theme, language in product(WIDTHS.items(), THEMES, LANGUAGES):
        below = folder / f"{name}-{theme}-{language}"
        below.mkdir(parents=True, exist_ok=True)
        pictures = [(below / f"{sight}.png", address) for sight, address in ADDRESSES.items()]
        take(opened, base, cookies, pictures, Look(width, height, theme, language, scale=1))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page in every way, into this folder")
    asked = parser.parse_args()
    with portal(engine=os.environ.get("BERTH_TEST_ENGINE", ""), twice=False) as running, browser(program()) as opened:
        story(running.client())
        base = f"http://127.0.0.1:{running.port}"
        cookies = signed_in(opened, base, password=running.password)
        if asked.all:
            take_all(opened, base, cookies, asked.all)
        else:
            take_some(opened, base, cookies)


if __name__ == "__main__":
    main()
