"""Berth as separate processes on PostgreSQL and Redis, without any engine: what projects go through needs none."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
import redis
from django.db import connection

from tests.installation import Installation

WITHOUT = "PostgreSQL and Redis are there in `./berth test postgres`"


@pytest.fixture(autouse=True)
def _fast_passwords() -> None:
    """These tests meet the processes as they are: no settings are changed for them."""


@pytest.fixture(autouse=True)
def wakeups() -> None:
    """Messages go through Redis."""


@pytest.fixture(scope="package")
def berth() -> Iterator[Installation]:
    if connection.vendor == "sqlite":
        pytest.skip(WITHOUT)
    with ExitStack() as undo:
        yield Installation.started(None, undo, processes=("web", "worker", "beat"))


@pytest.fixture
def database(berth: Installation) -> Iterator[psycopg.Connection]:
    """The rows themselves; each statement is its own transaction."""
    with psycopg.connect(berth.environment["DATABASE_URL"], autocommit=True) as made:
        yield made


@pytest.fixture
def messages(berth: Installation) -> Iterator[redis.Redis]:
    """The broker and cache, read past all of our own code."""
    with redis.Redis.from_url(berth.environment["REDIS_URL"]) as made:
        yield made
