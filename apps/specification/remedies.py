"""What a press of a button can do about a problem: take a key out, call it as it is called here, or move it."""

import difflib
from dataclasses import dataclass
from typing import Literal

from apps.specification.allowed import allowed_keys
from apps.specification.pointing import loc_of, value_at
from apps.specification.problems import Problem, path_of
from apps.specification.refusals import pattern_of

# keys of a service that Compose writes elsewhere than Berth keeps them
MOVES = {
    "cpus": "deploy.resources.limits.cpus",
    "mem_limit": "deploy.resources.limits.memory",
    "mem_reservation": "deploy.resources.reservations.memory",
    "pids_limit": "deploy.resources.limits.pids",
    "scale": "deploy.replicas",
}


@dataclass(frozen=True)
class Remedy:
    """`mend`: {path: value}, None takes out; `other`: the path a value goes to, or the name a key gets."""

    kind: Literal["out", "move", "rename"]
    mend: dict[str, object]
    other: str = ""


def remedy(problem: Problem, data: object) -> Remedy | None:
    """Nothing where the fault is not a value that stands in `data`, or where something is missing."""
    path = problem.field
    try:
        loc = loc_of(path)
    except ValueError:
        return None
    above = value_at(data, loc[:-1])
    if not loc or not isinstance(above, dict) or loc[-1] not in above or loc == ("services",):
        return _entry(path, above, data)
    value, key = above[loc[-1]], str(loc[-1])
    if len(loc) == 3 and loc[0] == "services" and key in MOVES:
        target = f"{path_of(loc[:2])}.{MOVES[key]}"
        return Remedy("move", {target: value, path: None}, MOVES[key])
    if problem.code == "unknown_key":
        kept = [one for one in allowed_keys(pattern_of(loc[:-1])) if one not in above]
        close = difflib.get_close_matches(key.lower()[:60], kept, n=1, cutoff=0.6)
        if close:
            return Remedy("rename", {path_of((*loc[:-1], close[0])): value, path: None}, close[0])
    return Remedy("out", {path: None}) if len(loc) > 2 or loc[0] != "services" else None


def _entry(path: str, above: object, data: object) -> Remedy | None:
    """An entry of a list: the list without it."""
    loc = loc_of(path)
    if not loc or not isinstance(above, list) or not isinstance(loc[-1], int) or loc[-1] >= len(above):
        return None
    rest = [one for place, one in enumerate(above) if place != loc[-1]]
    return Remedy("out", {path_of(loc[:-1]): rest or None})
