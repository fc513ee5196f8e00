"""Points in few bytes: what goes in comes out, gaps too, and a slot is used again."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observe.points import COARSE, FINE, GAP, KIBIBYTE, NOTHING, TIERS, Chunk, Point, together, unpacked

NUMBERS = st.none() | st.integers(0, GAP - 1)
POINTS = st.builds(
    Point, NUMBERS, NUMBERS, NUMBERS.map(lambda n: None if n is None else n * KIBIBYTE), NUMBERS, NUMBERS
)
NOON = 1_800_000_000 // COARSE.seconds * COARSE.seconds


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of the points
@given(st.dictionaries(st.integers(0, FINE.length - 1), POINTS))
def test_what_is_put_in_comes_out(some: dict[int, Point]) -> None:
    chunk = Chunk(FINE, NOON)
    for place, point in some.items():
        chunk.put(NOON + place * FINE.step, point)
    found = dict(unpacked(chunk.packed(), starts=chunk.starts, step=FINE.step))
    assert found == {NOON + p * FINE.step: point for p, point in some.items() if point != NOTHING}


def test_a_chunk_is_taken_up_again() -> None:
    chunk = Chunk(FINE, NOON)
    chunk.put(NOON, Point(cpu=5))
    again = Chunk(FINE, NOON + 20, chunk.packed())
    again.put(NOON + 20, Point(cpu=7))
    assert [point.cpu for _at, point in unpacked(again.packed(), starts=NOON, step=FINE.step)] == [5, 7]


def test_bytes_of_another_size_are_not_read() -> None:
    assert list(unpacked(Chunk(FINE, NOON, b"torn").packed(), starts=NOON, step=FINE.step)) == []


def test_too_much_is_the_most_and_no_gap() -> None:
    chunk = Chunk(FINE, NOON)
    chunk.put(NOON, Point(cpu=1 << 40, sent=-3))
    ((_at, point),) = unpacked(chunk.packed(), starts=NOON, step=FINE.step)
    assert (point.cpu, point.sent, point.memory) == (GAP - 1, 0, None)


def test_slots_go_round_and_hold_what_is_promised() -> None:
    for tier in TIERS:
        starts = [NOON + n * tier.seconds for n in range(3 * tier.slots)]
        slots = [tier.slot(at) for at in starts]
        assert set(slots) == set(range(tier.slots))
        assert all(len(set(slots[n : n + tier.slots])) == tier.slots for n in range(2 * tier.slots))
    assert FINE.kept_seconds == 3600
    assert COARSE.kept_seconds == 2 * 86400


def test_several_points_are_one() -> None:
    some = [Point(100, 100, 5 * KIBIBYTE, 10, 20), Point(300, 300, 3 * KIBIBYTE, 30, None), NOTHING]
    assert together(some) == Point(200, 300, 5 * KIBIBYTE, 20, 20)
    assert together([]) == NOTHING
