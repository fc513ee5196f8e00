"""Consoles on the fake engine: typing, sizes, credit, coming back, limits, and how they end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.models import AppEnvironment
from audit.models import AuditEntry
from backends.contract import DriverError, Reason, ReasonCode
from backends.fake import FakeDriver
from console import registry, services, terminal
from console.models import ConsoleSession
from console.output import KEPT, Output
from core.clock import from_now
from tenants.models import Grant
from tests.conftest import Cast
from tests.console.consoles import E, Person, Screen, opened, returned

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0  # a busy machine


@pytest.fixture
def developer(cast: Cast) -> Person:
    return Person(cast.developer)


@pytest.fixture(autouse=True)
async def _none_left(transactional_db: None) -> AsyncIterator[None]:
    yield
    await registry.leave_all()


class Process:
    """A process that writes what the test says and keeps what it was given."""

    user = "1000"

    def __init__(self, written: Callable[[int], bytes]) -> None:
        self.written, self.read_bytes = written, 0
        self.typed = b""
        self.closed = 0
        self.code: int | None = None
        self.away = False

    async def read(self, limit: int = 65536) -> bytes:
        await asyncio.sleep(0)
        if self.away:
            raise DriverError(Reason(ReasonCode.ENGINE_AWAY))
        piece = self.written(limit)[:limit]
        if not piece:
            await asyncio.Event().wait()
        self.read_bytes += len(piece)
        return piece

    async def write(self, data: bytes) -> None:
        self.typed += data

    async def end_input(self) -> None: ...

    async def resize(self, *, columns: int, rows: int) -> None:
        self.size = (columns, rows)

    async def exit_code(self) -> int | None:
        if self.away:
            raise DriverError(Reason(ReasonCode.ENGINE_AWAY))
        return self.code

    async def close(self) -> None:
        self.closed += 1
        if self.away and self.closed < 3:
            raise DriverError(Reason(ReasonCode.ENGINE_AWAY))


@pytest.fixture
def process(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> Process:
    """What every console on the fake engine is now: endless output."""
    made = Process(lambda limit: b"y" * limit)

    async def start(*_args: Any, **_more: Any) -> Process:
        return made

    monkeypatch.setattr(driver, "exec", start)
    return made


async def so(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def row_of(console: str) -> ConsoleSession:
    return await ConsoleSession.objects.aget(pk=console)


async def ended(console: str) -> ConsoleSession:
    async with asyncio.timeout(PATIENCE):
        while (row := await row_of(console)).state != "ended":
            await asyncio.sleep(0.02)
    return row


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
    row = await ended(console)
    assert (row.why, row.exit_code) == ("exited", 3)
    entries = [entry async for entry in AuditEntry.objects.filter(action__startswith="console.").order_by("seq")]
    assert [(entry.action, entry.result) for entry in entries] == [
        ("console.open", "accepted"),
        ("console.closed", "done"),
    ]
    assert entries[0].detail["shell"] == "sh"
    assert entries[0].detail["number"] == 1
    assert entries[1].detail["exit_code"] == 3
    assert entries[1].actor_name == "developer"
    assert "ticket" not in json.dumps(entries[0].detail)


@pytest.mark.parametrize(
    ("sent", "size"),
    [([10**9, 10**9], (500, 500)), ([0, -5], (1, 1)), ([80, 24], (80, 24)), (["a", 2], None), (7, None)],
)
async def test_sizes_are_clamped(
    developer: Person, running: AppEnvironment, process: Process, sent: Any, size: tuple[int, int] | None
) -> None:
    _console, screen = await opened(developer, running)
    await screen.say(resize=sent)
    await screen.type(b"x")
    await so(lambda: process.typed == b"x")
    assert getattr(process, "size", None) == size
    await screen.leave()


async def test_who_acks_nothing_stops_the_process_at_128_kilobytes(
    developer: Person, running: AppEnvironment, process: Process
) -> None:
    _console, screen = await opened(developer, running, acks=False)
    await so(lambda: process.read_bytes > terminal.CREDIT - 10)
    for _turn in range(50):
        await asyncio.sleep(0.005)
    assert process.read_bytes <= terminal.CREDIT
    await screen.say(ack=50_000)
    await so(lambda: process.read_bytes > terminal.CREDIT + 40_000)
    await screen.leave()


async def test_output_is_gathered_into_large_pieces(
    developer: Person, running: AppEnvironment, process: Process
) -> None:
    small = iter([b"a" * 10] * 2000)
    process.written = lambda _limit: next(small, b"")
    _console, screen = await opened(developer, running)
    frames = 0
    while len(screen.text) < 20_000:
        await screen.hear()
        frames += 1
    assert frames < 500  # of 2000 pieces; fewer where the machine is not busy
    assert screen.text == b"a" * 20_000
    await screen.leave()


async def test_after_a_reload_everything_of_late_is_there_again(developer: Person, running: AppEnvironment) -> None:
    console, screen = await opened(developer, running)
    await screen.type(b"echo before\r")
    await screen.until(b"before\r\n")
    await screen.leave()
    again = await returned(developer, console)
    await again.until(b"before\r\n")
    await again.type(b"echo after\r")
    await again.until(b"after\r\n")
    seen = len(again.text)
    await again.leave()
    third = await returned(developer, console, seen=seen)
    assert (await third.until_told("ready"))["from"] == seen
    await third.type(b"exit 0\r")
    await third.until_told("exit")
    assert b"before" not in third.text


async def test_a_second_window_takes_over(developer: Person, running: AppEnvironment) -> None:
    console, first = await opened(developer, running)
    second = await returned(developer, console)
    assert (await first.until_told("ended"))["why"] == "elsewhere"
    assert await first.until_closed() == 1000
    await second.type(b"echo here\r")
    await second.until(b"here\r\n")
    await second.leave()


async def test_who_does_not_come_back_ends_it(
    developer: Person, running: AppEnvironment, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(terminal, "RETURN_SECONDS", 0.3)
    console, screen = await opened(developer, running)
    await screen.leave()
    assert (await ended(console)).why == "left"
    await so(lambda: process.closed)
    answer = await sync_to_async(developer.post)(f"{E}/consoles/{console}/tickets")
    assert (answer.status_code, answer.json()["code"]) == (409, "console_ended")


async def test_who_falls_silent_is_taken_for_gone(
    developer: Person, running: AppEnvironment, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (
        ("TICK_SECONDS", 0.02),
        ("PING_SECONDS", 0.1),
        ("SILENT_SECONDS", 0.3),
        ("RETURN_SECONDS", 0.2),
    ):
        monkeypatch.setattr(terminal, name, seconds)
    console, screen = await opened(developer, running, acks=False)
    assert await screen.until_told("ping") >= 0
    assert await screen.until_closed() == 1012
    assert (await ended(console)).why == "left"
    await so(lambda: process.closed)


async def test_it_warns_and_then_ends_without_a_key(
    developer: Person, running: AppEnvironment, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "TICK_SECONDS", 0.02)
    settings.CONSOLE_IDLE_SECONDS = 1
    console, screen = await opened(developer, running)
    assert await screen.until_told("idle_seconds_left") == 1
    await screen.say(stay=True)
    screen.told.clear()
    assert await screen.until_told("idle_seconds_left") is None
    ending = await screen.until_told("ended")
    assert ending["why"] == "idle"
    assert ending["hint"]
    assert await screen.until_closed() == 4408
    assert (await ended(console)).why == "idle"


async def test_it_ends_at_its_limit_whatever_is_typed(
    developer: Person, running: AppEnvironment, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "TICK_SECONDS", 0.02)
    settings.CONSOLE_LIMIT_SECONDS = 1
    console, screen = await opened(developer, running)
    assert await screen.until_told("limit_seconds_left") == 1
    await screen.type(b"x")
    assert (await screen.until_told("ended"))["why"] == "limit"
    assert (await ended(console)).why == "limit"


async def test_a_lost_right_ends_it_within_two_seconds(cast: Cast, developer: Person, running: AppEnvironment) -> None:
    console, screen = await opened(developer, running)
    await Grant.objects.filter(user=cast.developer).adelete()
    async with asyncio.timeout(2.0):
        assert await screen.until_closed() == 4403
    assert screen.told[-1]["ended"]["why"] == "right"
    assert (await ended(console)).why == "right"


async def test_a_role_that_ends_by_itself_ends_it(cast: Cast, developer: Person, running: AppEnvironment) -> None:
    """Nobody does anything, and nothing is announced: its time is over in the middle of the console."""
    console, screen = await opened(developer, running)
    await Grant.objects.filter(user=cast.developer).aupdate(ends_at=from_now(timedelta(seconds=0.5)))
    async with asyncio.timeout(PATIENCE):
        assert await screen.until_closed() == 4403
    assert screen.told[-1]["ended"]["why"] == "right"
    assert (await ended(console)).why == "right"


async def test_signing_out_ends_it_within_two_seconds(developer: Person, running: AppEnvironment) -> None:
    console, screen = await opened(developer, running)
    await sync_to_async(developer.client.logout)()
    async with asyncio.timeout(2.0):
        assert await screen.until_closed() == 4403
    assert (await ended(console)).why == "right"


async def test_it_can_be_ended_from_elsewhere(cast: Cast, developer: Person, running: AppEnvironment) -> None:
    console, screen = await opened(developer, running)
    owner = await sync_to_async(Person)(cast.owner)
    listed = (await sync_to_async(owner.client.get)(f"{E}/consoles")).json()["results"]
    assert [(one["id"], one["person"], one["state"]) for one in listed] == [(console, "developer", "open")]
    assert (await sync_to_async(owner.client.delete)(f"{E}/consoles/{console}")).status_code == 204
    assert (await screen.until_told("ended"))["why"] == "asked"
    assert await screen.until_closed() == 1000
    shown = (await sync_to_async(owner.client.get)(f"{E}/consoles/{console}")).json()
    assert (shown["state"], shown["why"]) == ("ended", "asked")


async def test_a_colleague_may_look_but_not_end_it(cast: Cast, developer: Person, running: AppEnvironment) -> None:
    console, screen = await opened(developer, running)
    await Grant.objects.acreate(user=cast.guest, role="project.developer", tenant=cast.acme, project=cast.shop)
    colleague = await sync_to_async(Person)(cast.guest)
    assert (await sync_to_async(colleague.client.delete)(f"{E}/consoles/{console}")).status_code == 403
    assert (await sync_to_async(colleague.post)(f"{E}/consoles/{console}/tickets")).status_code == 404
    await screen.leave()


async def test_an_engine_that_goes_is_told_and_its_process_is_ended_later(
    developer: Person, running: AppEnvironment, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "ENDING_PAUSE_SECONDS", 0.02)
    console, screen = await opened(developer, running)
    process.away = True
    ending = await screen.until_told("ended")
    assert "local does not answer" in ending["said"]
    assert ending["hint"]
    assert await screen.until_closed() == 4503
    assert (await ended(console)).why == "engine"
    await so(lambda: process.closed == 3)


async def test_an_image_without_the_shell_says_so(developer: Person, running: AppEnvironment) -> None:
    answer = await sync_to_async(developer.ask)(running, shell="zsh")  # noqa: S604 - the name of one
    screen = await Screen(developer.socket(answer.json()["url"])).join(answer.json()["ticket"])
    ending = await screen.until_told("ended")
    assert "`zsh`" in ending["said"]
    assert "another shell" in ending["hint"]
    assert (await ended(answer.json()["id"])).why == ReasonCode.NO_SHELL


async def test_who_is_not_root_is_told(developer: Person, running: AppEnvironment, process: Process) -> None:
    _console, screen = await opened(developer, running)
    assert (await screen.until_told("ready"))["user"] == "1000"
    await screen.leave()


async def test_nothing_is_left_when_the_portal_ends(
    developer: Person, running: AppEnvironment, process: Process
) -> None:
    console, screen = await opened(developer, running)
    await registry.leave_all()
    assert process.closed == 1
    assert await screen.until_closed() == 1012
    assert (await row_of(console)).why == "restarting"


async def test_a_process_that_was_killed_leaves_no_open_row(
    developer: Person, running: AppEnvironment, process: Process
) -> None:
    console, screen = await opened(developer, running)
    await ConsoleSession.objects.filter(pk=console).aupdate(seen_at="2026-01-01T00:00:00Z")
    await sync_to_async(services.sweep)()
    assert (await row_of(console)).why == "lost"
    await screen.leave()


def test_output_keeps_the_last_256_kilobytes() -> None:
    output = Output()
    for number in range(100):
        output.add(b"%04d" % number * 1000 + b"\n")
    assert output.end == 100 * 4001
    assert KEPT <= output.end - output.start <= KEPT + 4001
    assert output.resumed(output.end) == output.end
    head = output.resumed(0)
    assert output.since(head - 1, 1) == b"\n"
    assert output.since(head, 4) == b"%04d" % (head // 4001)
    assert output.since(output.end) == b""
    assert b"".join(output.since(at, 1000) for at in range(output.start, output.end, 1000))[-4:] == b"099\n"
