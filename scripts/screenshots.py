"""`make shots`: the pictures of README and guides, taken by a real browser from a real portal on a real engine.

Without words it starts a portal of its own in a temporary folder and takes it away again (root, as `./berth up`).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, StorageState, sync_playwright

from benchmarks.client import Client
from benchmarks.deploys import finished
from benchmarks.portal import BASE, portal
from launcher.paths import ROOT

TARGET = ROOT / "docs" / "img"
APP = "hello"
SHOP = "/t/demo/p/shop/"
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    # file: (address, how it is seen)
    "project": (SHOP, {}),
    "deploy": (f"{SHOP}deploy/?app={APP}&environment=dev", {}),
    "deployment": (f"{SHOP}apps/{APP}/deployments/2/", {}),
    "failed": (f"{SHOP}apps/broken/deployments/1/", {}),
    "app": (f"{SHOP}apps/{APP}/?environment=dev", {}),
    "logs": (f"{SHOP}apps/{APP}/logs/?environment=dev", {}),
    "releases": (f"{SHOP}apps/{APP}/releases/?environment=dev", {}),
    "audit": ("/t/demo/audit/", {}),
    "project-dark": (SHOP, {"theme": "dark"}),
    "app-narrow": (f"{SHOP}apps/{APP}/?environment=dev", {"narrow": True}),
    "project-chinese": (SHOP, {"language": "zh-hans"}),
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


@contextmanager
def browser() -> Iterator[Browser]:
    path = os.environ.get("BERTH_TEST_BROWSER") or shutil.which("chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def sign_in(opened: Browser, base: str, password: str) -> StorageState:
    """Come in by the door, once; gives back the cookies."""
    context = opened.new_context(base_url=base)
    page = context.new_page()
    page.goto("/accounts/sign-in/")
    page.fill("[name=username]", "owner")
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)
    return context.storage_state()


def take(opened: Browser, base: str, cookies: StorageState, name: str) -> Path:
    """One picture of one address, as high as a screen."""
    address, seen = PICTURES[name]
    context = opened.new_context(
        base_url=base,
        storage_state=cookies,
        viewport={"width": 390, "height": 844} if seen.get("narrow") else {"width": 1280, "height": 800},
        device_scale_factor=2,
    )
    chosen = {"theme": str(seen.get("theme", "light")), "language": str(seen.get("language", "en"))}
    context.add_cookies([{"name": key, "value": text, "url": base} for key, text in chosen.items()])
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.wait_for_function("document.fonts.status === 'loaded'")
    file = TARGET / f"{name}.png"
    page.screenshot(path=file, animations="disabled")
    context.close()
    return file


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with portal(engine=os.environ.get("BERTH_TEST_ENGINE", ""), twice=False) as running, browser() as opened:
        story(running.client())
        base = f"http://127.0.0.1:{running.port}"
        cookies = sign_in(opened, base, running.password)
        for name in PICTURES:
            file = take(opened, base, cookies, name)
            print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1024} KiB")  # noqa: T201 -- a script's output


if __name__ == "__main__":
    main()
