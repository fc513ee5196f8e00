"""Addresses of the URLconf with something put where they have a gap."""

import re
from collections.abc import Callable

from portal.checks import Route

GAP = re.compile(r"<(?:(\w+):)?(\w+)>")
NOTHING = "00000000-0000-7000-8000-000000000000"
OF_KIND = {"slug": "nothing", "str": "nothing", "path": "nothing", "int": "1", "uuid": NOTHING, "label": "nothing"}


def filled(route: Route, value: Callable[[str, str], str]) -> str:
    """The address with `value(kind, name)` in each gap."""
    assert not route.path.endswith("$"), f"/{route.path} is a regular expression; write it with path()"
    return "/" + GAP.sub(lambda gap: value(gap[1] or "str", gap[2]), route.path)


def of_nothing(route: Route) -> str:
    """The address of something that does not exist."""
    return filled(route, lambda kind, _name: OF_KIND[kind])
