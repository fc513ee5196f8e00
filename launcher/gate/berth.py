"""Asking Berth whether something may be done. No answer is a no."""

import base64
import http.client
import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from launcher.gate.places import Places

SECONDS = 20.0
TRIES = 3
PAUSE_SECONDS = 0.5
LONGEST_ANSWER = 64 * 1024
MOST_PARTS = 500


@dataclass(frozen=True)
class Verdict:
    """`status` 204: yes. 401: let the registry ask who it is. Anything else goes back with `body`."""

    status: int
    body: bytes = b""


AWAY = "Berth does not answer, so nothing can be pushed now. Try again in a minute."


def refusal(code: str, text: str) -> bytes:
    """In the registry's own form, which its clients show."""
    return json.dumps({"errors": [{"code": code, "message": text}]}).encode()


def ask(places: Places, question: dict[str, Any]) -> Verdict:
    """Blocks; call it in a thread."""
    parts = urlsplit(places.berth)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Authorization": f"Bearer {places.shown}", "Content-Type": "application/json"}
    for left in reversed(range(TRIES)):
        with closing(kind(parts.hostname or "", parts.port, timeout=SECONDS)) as connection:
            try:
                connection.request("POST", parts.path, body=json.dumps(question), headers=headers)
                answer = connection.getresponse()
                body = answer.read(LONGEST_ANSWER)
                break
            except ConnectionError:  # it may just be starting anew; to ask twice changes nothing
                if not left:
                    return Verdict(503, refusal("UNAVAILABLE", AWAY))
                time.sleep(PAUSE_SECONDS)
            except (OSError, http.client.HTTPException):
                return Verdict(503, refusal("UNAVAILABLE", AWAY))
    if answer.status in (204, 401) or (400 <= answer.status < 500 and _is_refusal(body)):
        return Verdict(answer.status, body)
    return Verdict(503, refusal("UNAVAILABLE", AWAY))


def _is_refusal(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["errors"])
    except (ValueError, KeyError, TypeError):
        return False


def subject(token: str) -> str:
    """Whom a token names. Not checked: the registry does that, and who lies here is refused there."""
    try:
        middle = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return str(told.get("sub", ""))
    except (ValueError, IndexError, AttributeError):
        return ""


def parts_of(manifest: bytes) -> dict[str, Any] | None:
    """What a manifest names: {config: [digest, size], layers: [[digest, size]], images: [digest]}.

    None where it is no manifest that anybody would write.
    """
    try:
        told = json.loads(manifest)
        config, layers = told.get("config"), told.get("layers") or told.get("blobs") or ()
        named = [_part(one) for one in layers]
        images = [_part(one)[0] for one in told.get("manifests") or ()]
        found = {"config": _part(config) if config else None, "layers": named, "images": images}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    return found if len(named) + len(images) <= MOST_PARTS else None


def _part(one: Any) -> list[Any]:
    size = one.get("size")
    return [str(one.get("digest"))[:80], size if isinstance(size, int) and 0 <= size < 2**50 else 0]
