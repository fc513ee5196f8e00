"""What a test's apps left on an engine that others use after it."""

import json
import urllib.parse
from collections.abc import Iterable
from typing import Any

from launcher.engine_api import EngineClient, EngineError
from tests.engine import LiveEngine


def services_on(client: EngineClient, app: str) -> list[dict[str, Any]]:
    """The services that carry an app's label, as the engine tells them."""
    wanted = urllib.parse.quote(json.dumps({"label": [f"berth.app={app}"]}))
    found: list[dict[str, Any]] = client.call("GET", f"/services?filters={wanted}")
    return found


def clear(engine: LiveEngine, apps: Iterable[str]) -> None:
    """Take the services of these apps (engine names) away."""
    client = EngineClient(engine.url, timeout_seconds=30)
    for app in apps:
        for service in services_on(client, app):
            remove(client, service["ID"])


def remove(client: EngineClient, service: str) -> None:
    try:
        client.call("DELETE", f"/services/{service}")
    except EngineError as error:
        if error.status != 404:
            raise
