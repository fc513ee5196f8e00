"""A drawing of boxes in lanes with lines between them: from what there is to where it stands.

Pure and deterministic: the same boxes and links give the same drawing, whatever order they come in. Lengths are the
units of the drawing's own view box. Lines lead from left to right; one that passes a lane keeps a way free there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BOX_WIDTH = 184.0
WHOLE_WIDTH = 1120.0  # what the lanes share where there are few of them
LEAST_GAP, MOST_GAP = 56.0, 160.0
HEAD = 28.0  # room for the names of the lanes
BETWEEN = 18.0  # from one box to the next below it
WAY_HEIGHT, WAY_BETWEEN = 6.0, 12.0  # the free way of a line that passes a lane
SWEEPS = 6
WAY = "\0"  # between the ends in the key of a way: no box is called so


@dataclass(frozen=True)
class Box:
    """What stands in a lane, counted from the left. `height` in units; all are equally wide."""

    key: str
    lane: int
    height: float


@dataclass(frozen=True)
class Spot:
    """Where a box stands."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Line:
    """`path` is the value of an SVG path's `d`."""

    source: str
    target: str
    path: str


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    lanes: tuple[float, ...]
    """Left edge of each lane."""
    spots: Mapping[str, Spot]
    lines: tuple[Line, ...]


def draw(boxes: Iterable[Box], links: Iterable[tuple[str, str]]) -> Drawing:
    """Place the boxes and lead the lines. Links to what is not there, and from a box to itself, are left out."""
    plan = _Plan.of(boxes, links)
    for sweep in range(SWEEPS):
        plan.sort_lanes(from_left=sweep % 2 == 0)
    lefts = _lefts(len(plan.lanes))
    spots = _spots(plan, lefts)
    lines = tuple(_line(plan, spots, source, target) for source, target in plan.links)
    own = {key: spot for key, spot in spots.items() if WAY not in key}
    lowest = max((spot.y + spot.height for spot in own.values()), default=HEAD)
    width = lefts[-1] + BOX_WIDTH if lefts else 0.0
    return Drawing(width + _bulge(plan), lowest + 4, tuple(lefts), own, lines)


@dataclass
class _Plan:
    """Lanes as lists of keys from top to bottom; `hops` are links between neighbouring lanes, ways included."""

    lanes: list[list[str]]
    lane_of: dict[str, int]
    heights: dict[str, float]
    links: list[tuple[str, str]]
    hops: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, boxes: Iterable[Box], links: Iterable[tuple[str, str]]) -> "_Plan":
        known = sorted(boxes, key=lambda box: (box.lane, box.key))
        lanes: list[list[str]] = [[] for _ in range(max((box.lane for box in known), default=-1) + 1)]
        for box in known:
            lanes[box.lane].append(box.key)
        lane_of = {box.key: box.lane for box in known}
        kept = sorted({(a, b) for a, b in links if a != b and a in lane_of and b in lane_of})
        plan = cls(lanes, lane_of, {box.key: box.height for box in known}, kept)
        for source, target in kept:
            plan.lead(source, target)
        return plan

    def lead(self, source: str, target: str) -> None:
        """A way through each lane that lies between the two ends."""
        low, high = sorted((source, target), key=self.lane_of.__getitem__)
        stops = [low]
        for lane in range(self.lane_of[low] + 1, self.lane_of[high]):
            key = f"{source}{WAY}{target}{WAY}{lane}"
            self.lanes[lane].append(key)
            self.lane_of[key], self.heights[key] = lane, WAY_HEIGHT
            stops.append(key)
        stops.append(high)
        if self.lane_of[low] != self.lane_of[high]:
            self.hops += zip(stops, stops[1:], strict=False)

    def stops(self, source: str, target: str) -> list[str]:
        """From end to end, through the ways between, left to right."""
        low, high = sorted((source, target), key=self.lane_of.__getitem__)
        between = range(self.lane_of[low] + 1, self.lane_of[high])
        return [low, *(f"{source}{WAY}{target}{WAY}{lane}" for lane in between), high]

    def beside(self, key: str, *, left: bool) -> list[str]:
        """What it is linked to in the lane to its left, or to its right."""
        if left:
            return [source for source, target in self.hops if target == key]
        return [target for source, target in self.hops if source == key]

    def sort_lanes(self, *, from_left: bool) -> None:
        """Order each lane by where its neighbours stand, so that few lines cross."""
        order = range(len(self.lanes)) if from_left else range(len(self.lanes) - 1, -1, -1)
        for lane in order:
            keys = self.lanes[lane]
            weights = {key: self._weight(key, place, left=from_left) for place, key in enumerate(keys)}
            self.lanes[lane] = sorted(keys, key=lambda key: (weights[key], key))

    def _weight(self, key: str, place: int, *, left: bool) -> float:
        """Mean place of its neighbours as a part of their lane; its own place where it has none."""
        neighbours = self.beside(key, left=left)
        if not neighbours:
            return (place + 0.5) / len(self.lanes[self.lane_of[key]])
        return sum(self._part(one) for one in neighbours) / len(neighbours)

    def _part(self, key: str) -> float:
        lane = self.lanes[self.lane_of[key]]
        return (lane.index(key) + 0.5) / len(lane)


def _lefts(count: int) -> list[float]:
    if count < 2:
        return [0.0] * count
    gap = min(MOST_GAP, max(LEAST_GAP, (WHOLE_WIDTH - count * BOX_WIDTH) / (count - 1)))
    return [round(place * (BOX_WIDTH + gap), 1) for place in range(count)]


def _spots(plan: _Plan, lefts: Sequence[float]) -> dict[str, Spot]:
    """The fullest lane stands close together; the others stand where their neighbours are, as near as room allows."""
    if not lefts:
        return {}
    tall = [sum(plan.heights[key] + BETWEEN for key in lane) for lane in plan.lanes]
    first = tall.index(max(tall))
    middles: dict[str, float] = {}
    for lane in (*range(first, len(lefts)), *range(first - 1, -1, -1)):
        keys = plan.lanes[lane]
        wanted = [_wanted(plan, key, middles, left=lane > first) if lane != first else 0.0 for key in keys]
        middles |= dict(zip(keys, _spread(keys, wanted, plan.heights), strict=True))
    top = min(middle - plan.heights[key] / 2 for key, middle in middles.items())
    return {
        key: Spot(lefts[plan.lane_of[key]], round(middle - plan.heights[key] / 2 - top + HEAD, 1), BOX_WIDTH, height)
        for key, middle in middles.items()
        for height in (plan.heights[key],)
    }


def _wanted(plan: _Plan, key: str, middles: Mapping[str, float], *, left: bool) -> float:
    near = [middles[one] for one in plan.beside(key, left=left) if one in middles]
    if near:
        return sum(near) / len(near)
    lane = plan.lanes[plan.lane_of[key]]
    above = lane[: lane.index(key)]
    return sum(plan.heights[one] + BETWEEN for one in above) + plan.heights[key] / 2


def _spread(keys: Sequence[str], wanted: Sequence[float], heights: Mapping[str, float]) -> list[float]:
    """Middles nearest to those wanted that keep order and distance: neighbours in each other's way share the error."""
    offsets = [0.0]
    for above, below in zip(keys, keys[1:], strict=False):
        offsets.append(offsets[-1] + _distance(above, below, heights))
    groups: list[tuple[float, int]] = []  # mean of what its members want, and how many they are
    for want, offset in zip(wanted, offsets, strict=False):
        mean, count = want - offset, 1
        while groups and groups[-1][0] > mean:
            before, others = groups.pop()
            mean, count = (before * others + mean * count) / (others + count), others + count
        groups.append((mean, count))
    bases = [mean for mean, count in groups for _member in range(count)]
    return [base + offset for base, offset in zip(bases, offsets, strict=False)]


def _distance(above: str, below: str, heights: Mapping[str, float]) -> float:
    free = WAY_BETWEEN if WAY in above or WAY in below else BETWEEN
    return (heights[above] + heights[below]) / 2 + free


def _bulge(plan: _Plan) -> float:
    """Room at the right for lines that come back to the last lane."""
    last = len(plan.lanes) - 1
    back = [link for link in plan.links if {plan.lane_of[one] for one in link} == {last}]
    return LEAST_GAP if back else 2.0


def _line(plan: _Plan, spots: Mapping[str, Spot], source: str, target: str) -> Line:
    if plan.lane_of[source] == plan.lane_of[target]:
        return Line(source, target, _back(spots[source], spots[target]))
    stops = plan.stops(source, target)
    pieces: list[str] = []
    for here, there in zip(stops, stops[1:], strict=False):
        x1, y1 = spots[here].right, _port(plan, spots, here, there, right=True)
        x2, y2 = spots[there].x, _port(plan, spots, there, here, right=False)
        bend = (x2 - x1) / 2
        start = f"M{_n(x1)} {_n(y1)}" if not pieces else f"L{_n(x1)} {_n(y1)}"
        pieces.append(f"{start} C{_n(x1 + bend)} {_n(y1)} {_n(x2 - bend)} {_n(y2)} {_n(x2)} {_n(y2)}")
    return Line(source, target, " ".join(pieces))


def _port(plan: _Plan, spots: Mapping[str, Spot], here: str, there: str, *, right: bool) -> float:
    """Where on its edge a box takes this line: lines stand apart, in the order of their other ends."""
    spot = spots[here]
    others = sorted(plan.beside(here, left=not right), key=lambda one: (spots[one].middle, one))
    if len(others) < 2:
        return spot.middle
    room = min(spot.height * 0.6, 12.0 * (len(others) - 1))
    return spot.middle - room / 2 + room * others.index(there) / (len(others) - 1)


def _back(source: Spot, target: Spot) -> str:
    """From the right edge to the right edge of another box of the same lane."""
    out = source.right + LEAST_GAP * 0.6
    return (
        f"M{_n(source.right)} {_n(source.middle)} "
        f"C{_n(out)} {_n(source.middle)} {_n(out)} {_n(target.middle)} {_n(target.right)} {_n(target.middle)}"
    )


def _n(number: float) -> str:
    return f"{round(number, 1):g}"
