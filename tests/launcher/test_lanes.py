"""Lanes of work beside each other, in real processes."""

import os
from pathlib import Path

import pytest

from launcher.lanes import beside
from launcher.processes import until
from launcher.report import say
from launcher.up import Stopped, stoppable

SECONDS = 20


def lost(name: str) -> str:
    return f"{name} is lost"


def test_they_go_on_at_the_same_time_and_answer_in_their_order(tmp_path: Path) -> None:
    def meet(name: str) -> str:
        (tmp_path / name).touch()
        assert until(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists(), seconds=SECONDS)
        return f"{name} met"

    assert beside([["a"], ["b"]], meet, lost=lost) == ["a met", "b met"]


def test_one_lane_is_done_in_its_order_by_this_process() -> None:
    assert beside([["a", "b"]], lambda name: (name, os.getpid()), lost=lambda name: (name, 0)) == [
        ("a", os.getpid()),
        ("b", os.getpid()),
    ]


def test_another_lane_speaks_when_it_has_ended(capfd: pytest.CaptureFixture[str]) -> None:
    def speak(name: str) -> str:
        say(f"{name} is done")
        return name

    beside([["a", "b"], ["c", "d"]], speak, lost=lost)
    assert capfd.readouterr().out.split("\n")[:4] == ["a is done", "b is done", "c is done", "d is done"]


def test_what_a_lane_did_not_tell_before_it_died_is_lost() -> None:
    parent = os.getpid()

    def die(name: str) -> str:
        if os.getpid() != parent and name == "d":
            os._exit(1)
        return name

    assert beside([["a"], ["c", "d", "e"]], die, lost=lost) == ["a", "c", "d is lost", "e is lost"]


def test_whoever_stops_one_stops_all_and_each_clears_up(tmp_path: Path) -> None:
    began, cleared = tmp_path / "began", tmp_path / "cleared"

    def work(name: str) -> str:
        if name == "first":
            assert until(began.exists, seconds=SECONDS)
            raise Stopped
        try:
            began.touch()
            until(lambda: False, seconds=SECONDS)
        finally:
            cleared.touch()
        return name

    with pytest.raises(Stopped), stoppable():
        beside([["first"], ["other"]], work, lost=lost)
    assert cleared.exists()
