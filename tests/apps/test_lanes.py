"""Where boxes stand in a drawing: the same every time, in order, and none over another."""

import random
import re
from itertools import combinations

import pytest

from core.lanes import HEAD, Box, Drawing, Spot, draw

SERVICES = [Box(f"s{number}", 1 + number // 7, 70) for number in range(12)]
BOXES = [Box("r1", 0, 50), Box("r2", 0, 50), *SERVICES, Box("v1", 3, 50), Box("v2", 3, 50)]
LINKS = [("r1", "s0"), ("r2", "s3"), ("s0", "s8"), ("s1", "s8"), ("s5", "s9"), ("s0", "v1"), ("s8", "v2"), ("s2", "v2")]


def test_the_order_of_what_comes_in_changes_nothing() -> None:
    expected = draw(BOXES, LINKS)
    for seed in range(10):
        boxes, links = list(BOXES), list(LINKS)
        random.Random(seed).shuffle(boxes)  # noqa: S311  not a secret
        random.Random(seed).shuffle(links)  # noqa: S311  not a secret
        assert draw(boxes, links) == expected


def test_no_box_stands_over_another_and_all_are_inside() -> None:
    drawing = draw(BOXES, LINKS)
    assert set(drawing.spots) == {box.key for box in BOXES}
    for one, other in combinations(drawing.spots.values(), 2):
        assert not _overlap(one, other)
    for spot in drawing.spots.values():
        assert spot.y >= HEAD
        assert spot.right <= drawing.width
        assert spot.y + spot.height <= drawing.height


@pytest.mark.parametrize("count", [1, 2, 5, 12, 20])
def test_any_number_of_services_has_room(count: int) -> None:
    boxes = [Box(f"s{number}", number % 3, 70) for number in range(count)]
    links = [(f"s{number}", f"s{number + 1}") for number in range(count - 1)]
    drawing = draw(boxes, links)
    assert len(drawing.spots) == count
    assert not any(_overlap(one, other) for one, other in combinations(drawing.spots.values(), 2))


def test_a_line_begins_and_ends_at_its_boxes() -> None:
    drawing = draw(BOXES, LINKS)
    assert {(line.source, line.target) for line in drawing.lines} == set(LINKS)
    for line in drawing.lines:
        numbers = [float(text) for text in re.findall(r"-?\d+(?:\.\d+)?", line.path)]
        source, target = drawing.spots[line.source], drawing.spots[line.target]
        assert (numbers[0], numbers[-2]) == (source.right, target.x)
        assert source.y <= numbers[1] <= source.y + source.height
        assert target.y <= numbers[-1] <= target.y + target.height


def test_a_line_that_passes_a_lane_meets_no_box_there() -> None:
    drawing = draw(BOXES, LINKS)
    for line in drawing.lines:
        for x1, y, x2 in _flat_parts(line.path):
            crossed = [key for key, spot in drawing.spots.items() if _covers(spot, x1, x2, y)]
            assert crossed == [], f"{line.source} to {line.target} crosses {crossed}"


def test_boxes_of_one_lane_are_linked_at_the_side() -> None:
    drawing = draw([Box("a", 0, 50), Box("b", 0, 50)], [("a", "b")])
    assert drawing.lines[0].path.startswith(f"M{drawing.spots['a'].right:g} ")
    assert drawing.width > drawing.spots["a"].right


def test_what_is_linked_to_nothing_there_is_left_alone() -> None:
    drawing = draw([Box("a", 0, 50)], [("a", "gone"), ("a", "a")])
    assert drawing.lines == ()
    assert draw([], []) == Drawing(2.0, HEAD + 4, (), {}, ())


def _overlap(one: Spot, other: Spot) -> bool:
    apart = one.right <= other.x or other.right <= one.x
    return not (apart or one.y + one.height <= other.y or other.y + other.height <= one.y)


def _flat_parts(path: str) -> list[tuple[float, float, float]]:
    """(x1, y, x2) where a line runs straight on through a lane."""
    found = re.findall(r"([\d.]+) ([\d.]+) L([\d.]+) ([\d.]+)", path)
    return [(float(x1), float(y1), float(x2)) for x1, y1, x2, _y2 in found]


def _covers(spot: Spot, x1: float, x2: float, y: float) -> bool:
    return spot.x < x2 and spot.right > x1 and spot.y < y < spot.y + spot.height
