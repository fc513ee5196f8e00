"""In which order services are started."""

from collections.abc import Mapping, Sequence


def layers_of(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Groups in starting order: each needs only services of the groups before it. `needs` has no circle."""
    groups: list[list[str]] = []
    waiting = {name: set(wanted) & set(needs) for name, wanted in needs.items()}
    while waiting:
        ready = sorted(name for name, wanted in waiting.items() if not wanted)
        if not ready:
            raise ValueError("services wait for each other in a circle")
        groups.append(ready)
        waiting = {name: wanted - set(ready) for name, wanted in waiting.items() if name not in ready}
    return groups


def circle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Services that wait for each other, each for the next and the last for the first; [] when there are none."""
    waiting = {name: set(wanted) & set(needs) - {name} for name, wanted in needs.items()}
    while free := {name for name, wanted in waiting.items() if not wanted}:
        waiting = {name: wanted - free for name, wanted in waiting.items() if name not in free}
    if not waiting:
        return []
    path = [min(waiting)]
    while (following := min(waiting[path[-1]])) not in path:
        path.append(following)
    return path[path.index(following) :]
