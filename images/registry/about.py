"""What an image says of itself, read from its manifest and its configuration. It may say anything."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from images.registry import client

LONGEST_LIST = 200
LONGEST_TEXT = 2000
MOST = 2**50
_NANO = 1e9
PART = ("os", "architecture", "variant")


@dataclass(frozen=True)
class About:
    """As columns of `Artifact`, and as words for its repository. `parts`: (digest, platform) of a list of images."""

    columns: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    description: str = ""
    parts: list[tuple[str, str]] = field(default_factory=list)


def about(path: str, found: client.Found) -> About:
    """Asks the registry for the configuration, where there is one."""
    config, layers = found.body.get("config"), found.body.get("layers")
    if not isinstance(config, dict) or not isinstance(layers, list):
        return _several(found.body.get("manifests"))
    told = client.configuration(path, str(config.get("digest", "")))
    kept: list[dict[str, Any]] = [
        {"digest": str(one.get("digest", ""))[:80], "size": _number(one.get("size"))}
        for one in layers[:LONGEST_LIST]
        if isinstance(one, dict)
    ]
    own = _mapping(told.get("config"))
    labels = {str(key)[:200]: str(value)[:1000] for key, value in _few(_mapping(own.get("Labels")))}
    columns = {
        "size_bytes": found.size + _number(config.get("size")) + sum(one["size"] for one in kept),
        "platform": f"{told.get('os', '')}/{told.get('architecture', '')}"[:40] if told.get("os") else "",
        "ports": sorted(str(port)[:20] for port, _empty in _few(_mapping(own.get("ExposedPorts")))),
        "health": _health(_mapping(own.get("Healthcheck"))),
        "user": str(own.get("User") or "")[:100],
        "labels": labels,
        "built_at": _moment(told.get("created")),
        "layers": kept,
        "configuration": _configuration(own),
        "history": _history(told.get("history")),
    }
    title, description = (labels.get(f"org.opencontainers.image.{key}", "") for key in ("title", "description"))
    return About({key: _clean(value) for key, value in columns.items()}, _clean(title[:100]), _clean(description[:500]))


def _several(manifests: object) -> About:
    """A list of images for several platforms."""
    parts = {}
    for one in _list(manifests):
        known = _mapping(one)
        told = _mapping(known.get("platform"))
        words = [str(told[name]) for name in PART if isinstance(told.get(name), str) and told[name]]
        if digest := str(known.get("digest") or "")[:80]:
            parts[digest] = _clean("/".join(words)[:60])
    return About({"size_bytes": None, "configuration": {}}, parts=list(parts.items()))


def _configuration(own: dict[str, Any]) -> dict[str, Any]:
    """How its program is started, by the product's words."""
    pairs = [str(one)[:LONGEST_TEXT].partition("=") for one in _list(own.get("Env"))]
    return {
        "environment": [[name, value] for name, _equals, value in pairs],
        "entrypoint": _words(own.get("Entrypoint")),
        "command": _words(own.get("Cmd")),
        "working_dir": str(own.get("WorkingDir") or "")[:300],
        "volumes": sorted(str(path)[:300] for path, _empty in _few(_mapping(own.get("Volumes")))),
        "stop_signal": str(own.get("StopSignal") or "")[:30],
    }


def _history(told: object) -> list[dict[str, Any]]:
    """The steps by which it was built, the first one first."""
    return [
        {
            "created_at": moment.isoformat() if (moment := _moment(one.get("created"))) else "",
            "created_by": str(one.get("created_by") or "")[:LONGEST_TEXT],
            "comment": str(one.get("comment") or "")[:300],
            "empty": one.get("empty_layer") is True,
        }
        for one in map(_mapping, _list(told))
    ]


def _words(value: object) -> list[str]:
    return [str(word)[:LONGEST_TEXT] for word in ([value] if isinstance(value, str) else _list(value))]


def _list(value: object) -> list[Any]:
    return value[:LONGEST_LIST] if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, Any]:
    """Whoever builds an image writes into it what they like: what is of another form than it should be is nothing."""
    return value if isinstance(value, dict) else {}


def _few(found: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(found.items())[:LONGEST_LIST]


def _clean(value: Any) -> Any:
    """Without what a database does not take."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return value


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < MOST else 0


def _seconds(value: object, usual: float) -> float:
    return _number(value) / _NANO or usual


def _moment(text: object) -> datetime | None:
    try:
        found = parse_datetime(str(text)) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None and found.year > 1 else None


def _health(told: dict[str, Any]) -> dict[str, Any] | None:
    """As the drivers tell an image's own check; None where there is none."""
    given = told.get("Test")
    test = [str(word) for word in given] if isinstance(given, list) else []
    if len(test) < 2:
        return None
    return {
        "command": ["/bin/sh", "-c", *test[1:]] if test[0] == "CMD-SHELL" else test[1:],
        "interval_seconds": _seconds(told.get("Interval"), 30.0),
        "timeout_seconds": _seconds(told.get("Timeout"), 30.0),
        "retries": _number(told.get("Retries")) or 3,
        "start_period_seconds": _seconds(told.get("StartPeriod"), 0.0),
    }
