"""Cutting the engine's output, whatever the pieces it arrives in."""

import struct
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.contract import LogLine
from backends.merging import merged
from backends.stamps import Clock
from backends.swarm.frames import Splitter
from backends.swarm.observe import host_table, runs
from backends.swarm.places import Place
from backends.swarm.source import LINE_LIMIT, Lines, PlainText
from tests.backends.raw import node, spec, task

STAMP = b"2026-01-02T03:04:05.123456789Z "
AT_NS = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()) * 10**9 + 123456789


def frame(text: bytes, *, kind: int = 1, stamp: bytes = STAMP) -> bytes:
    payload = stamp + text
    return struct.pack(">BxxxI", kind, len(payload)) + payload


def lines() -> Lines:
    (run,) = runs([task(spec(), 2)], hosts=host_table([node()]))
    return Lines(Place(run, local=True, host="h", host_up=True))


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=20), st.integers(1, 30))
def test_pieces_of_any_size_give_the_same_frames(frames: list[tuple[int, bytes]], size: int) -> None:
    data = b"".join(frame(text, kind=kind, stamp=b"") for kind, text in frames)
    splitter = Splitter()
    found = [one for start in range(0, len(data), size) for one in splitter.frames(data[start : start + size])]
    assert found == frames


@pytest.mark.parametrize(
    ("stamp", "at_ns"),
    [
        (b"2026-01-02T03:04:05.123456789Z ", AT_NS),
        (b"2026-01-02T05:04:05.123456789+02:00 ", AT_NS),
        (b"2026-01-02T03:04:05Z ", AT_NS - 123456789),
        (b"2026-01-02T03:04:05.5Z ", AT_NS - 123456789 + 500_000_000),
    ],
)
def test_stamps(stamp: bytes, at_ns: int) -> None:
    assert Clock().nanoseconds(stamp + b"text") == (at_ns, len(stamp))


@pytest.mark.parametrize("line", [b"", b"no stamp here", b"2026-99-99T99:99:99.1+00:00 x", b"2026-01-02T03:04:05"])
def test_what_has_no_stamp_is_still_a_line(line: bytes) -> None:
    at_ns, start = Clock().nanoseconds(line)
    assert start in {0, line.find(b" ") + 1}
    assert at_ns >= 0


def test_lines_know_whose_they_are_and_keep_their_bytes() -> None:
    made = lines().of(frame(b"caf\xc3\xa9 \xff\x00\n") + frame(b"\n", kind=2) + frame(b"tab\t\r\n"))
    assert [(line.text, line.stream) for line in made] == [
        (b"caf\xc3\xa9 \xff\x00", "stdout"),
        (b"", "stderr"),
        (b"tab\t\r", "stdout"),
    ]
    assert {(line.service, line.number, line.at_ns) for line in made} == {("web", 2, AT_NS)}


def test_a_line_the_engine_cut_is_whole_again_and_streams_do_not_mix() -> None:
    cut = lines()
    made = cut.of(frame(b"a" * 16384) + frame(b"other\n", kind=2) + frame(b"b" * 16384) + frame(b"end\n"))
    assert [(line.stream, len(line.text)) for line in made] == [("stderr", 5), ("stdout", 2 * 16384 + 3)]
    assert cut.of(frame(b"no newline")) == []
    assert [line.text for line in cut.rest()] == [b"no newline"]
    assert cut.rest() == []


def test_a_line_without_end_does_not_grow_without_end() -> None:
    made = lines().of(frame(b"x" * 16384) * (LINE_LIMIT // 16384 + 1))
    assert [len(line.text) for line in made] == [LINE_LIMIT]


def test_plain_text_has_one_stamp_a_line() -> None:
    data = frame(b"a" * 10) + frame(b"b\n") + frame(b"c\n", kind=2)
    assert PlainText(timestamps=True).of(data) == STAMP + b"a" * 10 + b"b\n" + STAMP + b"c\n"
    bare = frame(b"a", stamp=b"") + frame(b"b\n", stamp=b"")
    assert PlainText(timestamps=False).of(bare) == b"ab\n"


class Told:
    """Batches of lines with these times; remembers being closed."""

    def __init__(self, *batches: list[int]) -> None:
        self.batches = batches
        self.closed = False

    async def stream(self) -> AsyncGenerator[list[LogLine], None]:
        try:
            for batch in self.batches:
                yield [LogLine(at_ns, "web", 1, "i", "stdout", b"") for at_ns in batch]
        finally:
            self.closed = True


async def test_sources_are_merged_by_time_across_batches() -> None:
    sources = [Told([1, 5], [9]), Told(), Told([2, 3], [4, 10]), Told([6])]
    found = [line.at_ns async for line in merged([one.stream() for one in sources])]
    assert found == [1, 2, 3, 4, 5, 6, 9, 10]


async def test_who_stops_listening_closes_every_source() -> None:
    sources = [Told([1, 5], [9]), Told([2], [3])]
    stream = merged([one.stream() for one in sources])
    assert (await anext(stream)).at_ns == 1
    await stream.aclose()
    assert all(one.closed for one in sources)


@given(st.lists(st.lists(st.integers(1, 100)), max_size=5))
async def test_any_sources_come_out_sorted(times: list[list[int]]) -> None:
    sources = [Told(*([one] for one in sorted(some))) for some in times]
    found = [line.at_ns async for line in merged([one.stream() for one in sources])]
    assert found == sorted(one for some in times for one in some)
