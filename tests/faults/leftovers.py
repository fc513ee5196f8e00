"""What a test's apps left on an engine that others use after it."""

import json
import urllib.parse
from collections.abc import Iterable
from typing import Any

from launcher.engine_api import EngineClient, EngineError
from tests.e2e.portal import until
from tests.engine import LiveEngine

GONE_SECONDS = 60.0


def services_on(client: EngineClient, app: str) -> list[dict[str, Any]]:
    """The services that carry an app's label, as the engine tells them."""
    return labelled(client, "services", app)


def clear(engine: LiveEngine, apps: Iterable[str]) -> None:
    """Take the services of these apps (engine names) away."""
    client = EngineClient(engine.url, timeout_seconds=30)
    for app in apps:
        for service in services_on(client, app):
            remove(client, service["ID"])


def clear_all(engine: LiveEngine) -> None:
    """Take the services of every app away, and wait until nothing of theirs runs."""
    client = EngineClient(engine.url, timeout_seconds=30)
    for service in labelled(client, "services"):
        remove(client, service["ID"])
    until(lambda: not labelled(client, "containers"), seconds=GONE_SECONDS)


def labelled(client: EngineClient, kind: str, value: str = "") -> list[dict[str, Any]]:
    """`services` or `containers` (those that run) of one app, or of any."""
    wanted = urllib.parse.quote(json.dumps({"label": [f"berth.app={value}" if value else "berth.app"]}))
    address = {"services": "/services", "containers": "/containers/json"}[kind]
    found: list[dict[str, Any]] = client.call("GET", f"{address}?filters={wanted}")
    return found


def remove(client: EngineClient, service: str) -> None:
    try:
        client.call("DELETE", f"/services/{service}")
    except EngineError as error:
        if error.status != 404:
            raise
