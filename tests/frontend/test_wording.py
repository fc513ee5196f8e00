"""Amounts and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from core import wording
from core.status import Kind, Status

NOW = datetime(2026, 11, 21, 9, 47, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1536, "1.5 KB"),
        (84 * 1024**2, "84 MB"),
        (64 * 1024**3, "64 GB"),
        (1023 * 1024**2, "1,023 MB"),
    ],
)
def test_bytes(value: int, text: str) -> None:
    assert wording.bytes_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(250, "0.25 cores"), (1000, "1 core"), (22500, "22.5 cores"), (0, "0 cores")]
)
def test_cores(value: int, text: str) -> None:
    assert wording.cores_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (112, "1 min 52 s"),
        (7500, "2 h 5 min"),
        (793000, "9 d 4 h"),
        (-3, "0 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration_text(seconds) == text


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (2, "just now"), (40, "40 s ago"), (720, "12 min ago"), (7300, "2 h ago"), (90000, "yesterday"),
        (3 * 86400, "3 days ago"), (31 * 86400, "Oct. 21, 2026"),
        (-30, "in 30 s"), (-7300, "in 2 h"), (-90000, "tomorrow"),
    ],
)  # fmt: skip
def test_ages(gap: int, text: str) -> None:
    assert wording.ago_text(NOW - timedelta(seconds=gap), now=NOW) == text


def test_the_machine_reads_utc() -> None:
    assert wording.machine_time(NOW) == "2026-11-21T09:47:00Z"


def test_each_kind_of_state_has_a_drawing() -> None:
    from django.contrib.staticfiles import finders

    marks = finders.find("img/marks.svg")
    assert marks
    with open(marks, encoding="utf-8") as file:
        drawn = file.read()
    assert all(f'id="{kind.value}"' in drawn for kind in Kind)


def test_a_status_is_found_by_key_by_member_and_by_any_enum_with_its_value() -> None:
    assert Status.of("running") is Status.of(Status.RUNNING) is Status.RUNNING
    assert Status.of(None) is Status.UNKNOWN
