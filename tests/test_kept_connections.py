"""Connections to SQLite that outlive the request they were opened for, and that carry nothing of it with them."""

import sqlite3
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.conf import settings

from core.sqlite3 import base
from core.sqlite3.base import DatabaseWrapper, Spare

pytestmark = pytest.mark.django_db
Open = Callable[[], DatabaseWrapper]


@pytest.fixture
def spare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spare]:
    made = Spare()
    made.keep(1)
    monkeypatch.setattr(base, "SPARE", made)
    yield made
    made.end()


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """As a request opens it, on a file with one row that is 1."""
    file = str(tmp_path / "some.sqlite3")
    with sqlite3.connect(file) as first:
        first.execute("PRAGMA journal_mode=WAL")
        first.execute("CREATE TABLE some (number int)")
        first.execute("INSERT INTO some VALUES (1), (1)")
    first.close()
    told = deepcopy(settings.DATABASES["default"]) | {"ENGINE": "core.sqlite3", "NAME": file, "OPTIONS": {}}

    def open_one() -> DatabaseWrapper:
        made = DatabaseWrapper(told)
        made.ensure_connection()
        return made

    return open_one


def numbers(of: DatabaseWrapper) -> list[int]:
    with of.cursor() as cursor:
        cursor.execute("SELECT number FROM some")
        return [row[0] for row in cursor.fetchall()]


def test_what_one_closes_the_next_one_uses(spare: Spare, opened: Open) -> None:
    first = opened()
    held = first.connection
    first.close()
    assert first.connection is None
    second = opened()
    assert second.connection is held
    assert numbers(second) == [1, 1]


def test_two_at_the_same_time_never_share_one(spare: Spare, opened: Open) -> None:
    first, second = opened(), opened()
    assert first.connection is not second.connection
    kept, too_many = first.connection, second.connection
    first.close()
    second.close()
    assert opened().connection is kept
    with pytest.raises(sqlite3.ProgrammingError):
        too_many.execute("SELECT 1")


def test_what_was_only_half_read_does_not_hold_the_past_fast(spare: Spare, opened: Open) -> None:
    first = opened()
    cursor = first.cursor()
    cursor.execute("SELECT number FROM some")
    assert cursor.fetchone() == (1,)
    first.close()
    with sqlite3.connect(str(first.settings_dict["NAME"])) as another:
        another.execute("UPDATE some SET number = 2")
    another.close()
    second = opened()
    assert second.connection is not None
    assert numbers(second) == [2, 2]


def test_an_open_transaction_ends_with_its_connection(spare: Spare, opened: Open) -> None:
    first = opened()
    held = first.connection
    with first.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("UPDATE some SET number = 3")
    first.close()
    second = opened()
    assert second.connection is not held
    assert numbers(second) == [1, 1]


def test_after_an_error_it_is_not_used_again(spare: Spare, opened: Open) -> None:
    first = opened()
    held, first.errors_occurred = first.connection, True
    half_read = first.cursor()
    half_read.execute("SELECT number FROM some")
    first.close()
    assert opened().connection is not held
    first.errors_occurred = False
    first.ensure_connection()
    assert numbers(first) == [1, 1]
    first.close()
    assert opened().connection is not held


@pytest.mark.parametrize("made", [Spare(), None])
def test_none_is_kept_where_nobody_asked_or_in_a_forked_child(
    made: Spare | None, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    if made is None:
        made = Spare()
        made.keep(1)
        made._process += 1
    monkeypatch.setattr(base, "SPARE", made)
    first = opened()
    held = first.connection
    first.close()
    with pytest.raises(sqlite3.ProgrammingError):
        held.execute("SELECT 1")
