"""Values by the path that problems, differences and mends name: services.web.ports[0]."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy

from apps.specification.problems import Loc

STEP = re.compile(r'\.?(?P<key>[A-Za-z0-9_-]+)|\[(?P<index>\d{1,6})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def loc_of(path: str) -> Loc:
    """The reverse of `path_of`. Raises ValueError for what is no path."""
    loc: list[str | int] = []
    at = 0
    while at < len(path):
        found = STEP.match(path, at)
        if found is None:
            raise ValueError("this is not the path of a value")
        index, quoted = found["index"], found["quoted"]
        loc.append(int(index) if index else str(json.loads(quoted)) if quoted else found["key"])
        at = found.end()
    return tuple(loc)


def value_at(document: object, loc: Loc) -> object:
    """What stands there; None where nothing does."""
    for part in loc:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        else:
            return None
    return document


def with_value(document: Mapping[str, object], path: str, value: object) -> dict[str, object]:
    """A copy with `value` at `path`, where None takes out what is there. Maps on the way are made.

    Raises ValueError where the way leads through something that is no map.
    """
    changed = deepcopy(dict(document))
    loc = loc_of(path)
    if not loc:
        raise ValueError("the path leads to the whole")
    *way, last = loc
    at: dict[str | int, object] = changed  # type: ignore[assignment]  # keys of maps are text; numbers are of lists
    for part in way:
        below = at.setdefault(part, {})
        if not isinstance(below, dict):
            raise ValueError("the path leads through something that is no map")
        at = below
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return changed
