"""How grave a line is, by what apps commonly write, and which lines belong together."""

import pytest

from apps.log_levels import Levels, at_least, level_of
from apps.logs import shown
from backends.contract import LogLine

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ERROR no route", "error"),
        ("java.lang.Exception: x", "error"),
        ("ValueError: no such order", "error"),
        ("Warning: slow", "warn"),
        ("GET /errors 200", ""),
        ("GET /warning/x 200", ""),
        ("no terror here", ""),
        ("all is well", ""),
        ("orders: no answer after 800 ms, error", "error"),
        ("fatal: cannot go on", "fatal"),
        ("E1121 09:47:01.000 controller.go:12] x", "error"),
        ("[warn] x", "warn"),
        ('level=debug msg="error x"', "debug"),
        ("2026-01-01T00:00:00Z INFO request failed with error=none", "info"),
        ("12:00:00 app.main | INFO | started", "info"),
        ("2026/11/21 09:00:00 [error] 12#12: *1 open() failed", "error"),
        ("\x1b[31mERROR\x1b[0m in colour", "error"),
        ('{"level":30,"msg":"error in a text"}', "info"),
        ('{"level":"40"}', "warn"),
        ('{"level":60}', "fatal"),
        ('{"level":5}', "info"),
        ('{"level":2}', "fatal"),
        ('{"severity":"WARNING"}', "warn"),
        ('{"lvl":"eror"}', "error"),
        ('{"log":{"level":"debug"}}', "debug"),
        ('{"level":{"a":1}}', ""),
        ('{"level":1e400}', ""),
        ('{"broken', ""),
    ],
)
def test_levels(text: str, level: str) -> None:
    assert level_of(text) == level


def test_what_names_no_level_counts_as_information() -> None:
    assert at_least("", "")
    assert at_least("", "info")
    assert not at_least("", "warn")
    assert at_least("fatal", "error")
    assert not at_least("debug", "info")


def line(text: str, *, second: float = 0, instance: str = "a") -> LogLine:
    return LogLine(int(second * SECOND), "web", 1, instance, "stdout", text.encode())


def test_a_stack_trace_belongs_to_the_line_before() -> None:
    levels = Levels()
    said = [
        ("ERROR orders did not answer", ("error", False)),
        ("  at checkout.reserve (checkout.js:118)", ("error", True)),
        ("Caused by: java.io.IOException: x", ("error", True)),
        ("\t... 12 more", ("error", True)),
        ("all is well", ("", False)),
        ("Traceback (most recent call last):", ("error", False)),
        ('  File "app.py", line 3', ("error", True)),
        ("shop.errors.Missing: no such order", ("error", True)),
        ("INFO after that", ("info", False)),
    ]
    assert [levels.of(line(text), text) for text, _wanted in said] == [wanted for _text, wanted in said]


def test_other_instances_and_later_lines_do_not_belong_to_it() -> None:
    levels = Levels()
    levels.of(line("ERROR x"), "ERROR x")
    assert levels.of(line("  indented", instance="b"), "  indented") == ("", False)
    assert levels.of(line("  indented", second=60), "  indented") == ("", False)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain \t text", "plain \t text"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;aGk=\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title", ""),
        ("\x1bP1;2|data\x1b\\x", "x"),
        ("\x9b31mred", "red"),
        ("a\x00b\x08c", "a\ufffdb\u2408c"),
        ("\u202ertl", "\u2039U+202E\u203artl"),
        ("\x1b", ""),
    ],
)
def test_text_does_nothing_but_be_read(raw: str, text: str) -> None:
    assert shown(raw) == text
