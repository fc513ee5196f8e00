"""Consoles on the fake engine: tickets, typing, sizes, credit, coming back, limits, and how they end."""

import pytest

from apps.models import AppEnvironment
from console.models import ConsoleSession
from tests.conftest import Cast
from tests.console.consoles import Person, opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def developer(cast: Cast) -> Person:
    return Person(cast.developer)


async def test_a_console_answers_and_ends_with_its_exit_code(developer: Person, running: AppEnvironment) -> None:
    console, screen = await opened(developer, running, size=[111, 33])
    await screen.type(b"stty size\r")
    await screen.until(b"33 111")
    await screen.say(resize=[50, 20])
    await screen.type(b"stty size\r")
    await screen.until(b"20 50")
    await screen.type(b"exit 3\r")
    assert await screen.until_told("exit") == 3
    assert await screen.until_closed() == 1000
    row = await ConsoleSession.objects.aget(pk=console)
    assert (row.state, row.why, row.exit_code) == ("ended", "exited", 3)
