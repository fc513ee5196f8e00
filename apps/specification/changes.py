"""What a change of a specification means, in words: the same differences as `diff`, said as people say them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from apps.specification.diff import Difference, differences
from apps.specification.model import Specification
from apps.specification.pointing import loc_of
from apps.specification.problems import clipped, path_of

Kind = Literal["new", "gone", "changed"]

# in the order they are tried; `service` and `name` are taken from the path
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern + r"\Z"), code)
    for pattern, code in (
        (r"services\.(?P<service>[^.]+)", "service"),
        (r"services\.(?P<service>[^.]+)\.image", "image"),
        (r"services\.(?P<service>[^.]+)\.deploy\.replicas", "replicas"),
        (r"services\.(?P<service>[^.]+)\.ports", "ports"),
        (r"services\.(?P<service>[^.]+)\.expose", "expose"),
        (r"services\.(?P<service>[^.]+)\.environment(?P<name>.+)", "variable"),
        (r"services\.(?P<service>[^.]+)\.(healthcheck|x-berth)(\..+)?", "health"),
        (r"services\.(?P<service>[^.]+)\.deploy\.resources\.limits\.memory", "memory"),
        (r"services\.(?P<service>[^.]+)\.deploy\.resources\.limits\.cpus", "cpus"),
        (r"services\.(?P<service>[^.]+)\.deploy\.resources\.reservations\.memory", "memory_reserved"),
        (r"services\.(?P<service>[^.]+)\.deploy\.resources\.reservations\.cpus", "cpus_reserved"),
        (r"services\.(?P<service>[^.]+)\.(volumes|tmpfs)", "volumes"),
        (r"services\.(?P<service>[^.]+)\.(command|entrypoint)", "command"),
        (r"volumes\.(?P<name>[^.]+)\.x-berth\.size", "size"),
        (r"services\.(?P<service>[^.]+)\.(?P<name>.+)", "other"),
        (r"(?P<name>.+)", "app"),
    )
)


GROUPS = ("environment", "labels", "deploy", "resources", "limits", "reservations")


@dataclass(frozen=True)
class Change:
    """`what` is the thing; `before` and `after` are its values in short, empty where there is none."""

    kind: Kind
    what: str
    path: str
    before: str = ""
    after: str = ""


def changes(before: Specification, after: Specification) -> list[Change]:
    """In the order people ask for: services, images, instances, and the rest by name. Empty when the two are alike."""
    each = [small for one in differences(before, after) for small in _spread(one)]
    found = [(_order(one.path), _change(one)) for one in each]
    return [change for _place, change in sorted(found, key=lambda pair: (pair[0], pair[1].path))]


def _spread(one: Difference) -> Iterator[Difference]:
    """A group of values that comes or goes as a whole, value by value."""
    loc = loc_of(one.path)
    whole = one.after if one.before is None else one.before if one.after is None else None
    grouped = str(loc[-1]) in GROUPS or (loc[0], loc[-1]) == ("volumes", "x-berth")
    if not isinstance(whole, dict) or not grouped:
        yield one
        return
    for key, value in whole.items():
        path = path_of((*loc, str(key)))
        yield from _spread(Difference(path, None, value) if one.before is None else Difference(path, value, None))


def _change(one: Difference) -> Change:
    kind: Kind = "new" if one.before is None else "gone" if one.after is None else "changed"
    code, values = _coded(one.path)
    if code == "service":
        return Change(kind, _said(code, values), one.path, _image_of(one.before), _image_of(one.after))
    return Change(kind, _said(code, values), one.path, _short(one.before), _short(one.after))


def _coded(path: str) -> tuple[str, dict[str, str]]:
    for pattern, code in _WORDS:
        match = pattern.match(path)
        if match is not None:
            found = {name: value for name, value in match.groupdict().items() if value is not None}
            if code == "variable":
                found["name"] = str(loc_of(path)[-1])
            return code, found
    return "app", {"name": path}


def _order(path: str) -> int:
    code = _coded(path)[0]
    return next(place for place, (_pattern, one) in enumerate(_WORDS) if one == code)


def _said(code: str, values: dict[str, str]) -> str:
    texts = {
        "service": _("Service %(service)s"),
        "image": _("Image of %(service)s"),
        "replicas": _("Instances of %(service)s"),
        "ports": _("Ports of %(service)s"),
        "expose": _("Inner ports of %(service)s"),
        "variable": _("Variable %(name)s of %(service)s"),
        "health": _("Health check of %(service)s"),
        "memory": _("Memory limit of %(service)s"),
        "cpus": _("CPU limit of %(service)s"),
        "memory_reserved": _("Memory reserved for %(service)s"),
        "cpus_reserved": _("CPU reserved for %(service)s"),
        "volumes": _("Volumes of %(service)s"),
        "size": _("Size of the volume %(name)s"),
        "command": _("Command of %(service)s"),
        "other": _("%(name)s of %(service)s"),
        "app": _("%(name)s of the app"),
    }
    return texts[code] % values


def _image_of(service: object) -> str:
    return str(service.get("image", "")) if isinstance(service, dict) else ""


def _short(value: object) -> str:
    """A value as one would say it: ports as numbers, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, list):
        return clipped(", ".join(_short(one) for one in value))
    if isinstance(value, dict) and set(value) == {"target", "protocol"}:
        suffix = "" if value["protocol"] == "tcp" else f"/{value['protocol']}"
        return f"{value['target']}{suffix}"
    return clipped(value)
