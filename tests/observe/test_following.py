"""Lines are kept where a cluster forgets them, read together with what it has, bounded, with a word at each gap."""

import asyncio
import os
import secrets
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from apps.building import ref_of
from apps.kept_logs import keeping
from apps.kept_logs.cutting import Cut, Intake, Mark, Packed, Past, unpacked
from apps.models import AppEnvironment, KeptChunk, KeptLog
from apps.observing import observe
from backends import registry
from backends.contract import Capabilities
from backends.fake import FakeDriver, Mood
from backends.models import Cluster
from observe import following
from observe.following import Followers
from tenants.models import Token
from tests.conftest import Cast

LOGS = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/logs"
SECONDS = 20
GAP = "Lines may be missing here"
Read = Callable[..., Awaitable[bytes]]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def forgetful(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """The engine of the cluster forgets a log with its instance."""
    able = replace(Capabilities(), keeps_logs=False)
    monkeypatch.setattr(driver, "capabilities", lambda: able)
    registry.register(Cluster.Kind.FAKE, lambda _cluster: driver, able)
    return driver


@pytest.fixture
def read(cast: Cast) -> Read:
    """`await read(path)` as a developer."""

    async def ask(path: str = LOGS, *, status: int = 200) -> bytes:
        _token, text = await sync_to_async(Token.objects.create)(cast.developer, name=secrets.token_hex(8))
        response = await AsyncClient().get(path, headers={"Authorization": f"Bearer {text}"})
        assert response.status_code == status, response
        return b"".join([piece async for piece in response]) if response.streaming else response.content

    return ask


@asynccontextmanager
async def followed(cluster: Cluster) -> AsyncIterator[Followers]:
    """As in the process that follows, but that a test says when it looks and writes."""
    await sync_to_async(observe)(cluster)
    followers = Followers()
    await followers.look()
    try:
        yield followers
    finally:
        await followers.close()


async def kept(followers: Followers, text: str) -> None:
    """Once this line is among what is kept."""
    async with asyncio.timeout(SECONDS):
        while True:
            await followers.write()
            await followers.look()
            if text in await sync_to_async(all_kept)():
                return
            await asyncio.sleep(0)


def all_kept() -> str:
    return b"".join(unpacked(bytes(one.packed)) for one in KeptChunk.objects.order_by("pk")).decode()


async def test_lines_of_an_instance_that_is_gone_can_still_be_read(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read
) -> None:
    ref = await sync_to_async(ref_of)(running, "web")
    async with followed(cast.cluster) as followers:
        for number in (1, 2, 3):
            forgetful.say(ref, number, b"hello from %d" % number)
        await kept(followers, "hello from 3")
        before = await read()
        assert [before.count(b"hello from %d" % number) for number in (1, 2, 3)] == [1, 1, 1], "kept, and at the engine"
        forgetful.say(ref, 1, b"not kept yet")
        assert (await read()).count(b"not kept yet") == 1
        await kept(followers, "not kept yet")
    forgetful.remove(ref)
    await sync_to_async(observe)(cast.cluster)
    after = await read()
    assert after.count(b"hello from") == 3
    assert after.count(b"not kept yet") == 1
    stamps = [line.split(b" ", 1)[0] for line in after.splitlines()]
    assert stamps == sorted(stamps)
    archive = zipfile.ZipFile(BytesIO(await read(f"{LOGS}/download")))
    files = {name: archive.read(name) for name in archive.namelist()}
    assert len(files) == 3
    assert sum(content.count(b"hello from") for content in files.values()) == 3
    one = await KeptLog.objects.aget(number=2)
    alone = await read(f"{LOGS}/download?instance={one.pk}&timestamps=false")
    assert alone.splitlines()[-1] == b"hello from 2"


async def test_tails_and_times_count_kept_lines_and_those_of_the_engine_once(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read
) -> None:
    ref = await sync_to_async(ref_of)(running, "web")
    async with followed(cast.cluster) as followers:
        for turn in range(10):
            forgetful.say(ref, 1, b"line %d" % turn)
        await kept(followers, "line 9")
        forgetful.say(ref, 1, b"line 10")
        lines = (await read(f"{LOGS}?number=1&tail=3")).splitlines()
        assert [line.rsplit(b" ", 1)[1] for line in lines] == [b"8", b"9", b"10"]
        newest = (await read(f"{LOGS}?newest=2")).splitlines()
        assert [line.rsplit(b" ", 1)[1] for line in newest] == [b"9", b"10"]
        since = (await read(f"{LOGS}?number=1&tail=4")).splitlines()[0].split(b" ", 1)[0].decode()
        later = (await read(f"{LOGS}?number=1&since={since}")).splitlines()
        assert [line.rsplit(b" ", 1)[1] for line in later] == [b"7", b"8", b"9", b"10"]


async def test_where_the_engine_itself_has_lost_some_the_log_says_so(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read
) -> None:
    ref = await sync_to_async(ref_of)(running, "web")
    async with followed(cast.cluster) as followers:
        forgetful.say(ref, 1, b"before")
        await kept(followers, "before")
    held = next(one for one in forgetful._services[ref].instances if one.status.number == 1)
    forgetful.say(ref, 1, b"never seen")
    del held.lines[:]  # what an engine does that begins a new file
    forgetful.say(ref, 1, b"after")
    async with followed(cast.cluster) as followers:
        await kept(followers, "after")
    text = (await read(f"{LOGS}?number=1")).decode()
    assert [part in text for part in ("before", "never seen", GAP, "after")] == [True, False, True, True]
    assert text.index("before") < text.index(GAP) < text.rindex("after")
    log = await KeptLog.objects.aget(number=1)
    for query in ("", "?timestamps=false", f"?format=text&instance={log.pk}"):
        body = await read(f"{LOGS}/download{query}")
        if not query or query == "?timestamps=false":
            archive = zipfile.ZipFile(BytesIO(body))
            body = b"".join(archive.read(name) for name in archive.namelist())
        assert body.count(GAP.encode()) == 1, query


async def test_going_on_after_a_pause_repeats_and_marks_nothing(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read
) -> None:
    ref = await sync_to_async(ref_of)(running, "web")
    for word in (b"first", b"second"):
        async with followed(cast.cluster) as followers:
            forgetful.say(ref, 1, word)
            await kept(followers, word.decode())
    text = (await read(f"{LOGS}?number=1")).decode()
    assert (text.count("first"), text.count("second"), GAP in text) == (1, 1, False)
    assert (await sync_to_async(all_kept)()).count("first") == 1


async def test_who_writes_faster_than_can_be_kept_is_read_on_from_now(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_WAITING", 1)
    monkeypatch.setattr(following, "PIECE", 1)
    ref = await sync_to_async(ref_of)(running, "web")
    async with followed(cast.cluster) as followers:
        forgetful.say(ref, 1, b"flood")
        async with asyncio.timeout(SECONDS):
            while not await KeptChunk.objects.filter(lost=KeptChunk.Lost.FAST).aexists():
                await followers.write()
                forgetful.say(ref, 1, b"more")
                await asyncio.sleep(0)
    assert b"came faster than they can be kept" in await read(f"{LOGS}?number=1")


async def test_a_tenant_keeps_no_more_than_its_share_and_the_oldest_go_first(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read, settings: Any
) -> None:
    settings.LOGS_KEPT_MIB_PER_TENANT = 1
    async with followed(cast.cluster) as followers:
        await kept(followers, "listening")
    log = await KeptLog.objects.aget(number=1)
    for turn in range(4):
        line = b"2030-01-02T03:04:0%d.000000000Z part %d " % (turn, turn) + os.urandom(300_000).hex().encode()
        intake = Intake(Mark())
        intake.add(line + b"\n", lost="")
        piece = intake.take()
        assert piece is not None
        assert await sync_to_async(keeping.keep)([(log, [piece])]) == {log.pk}
    sizes = [size async for size in KeptLog.objects.values_list("size", flat=True)]
    assert sum(sizes) <= 1 << 20
    await log.arefresh_from_db()
    assert log.forgotten
    text = (await read(f"{LOGS}?number=1")).decode()
    assert "Older lines of this instance are not kept any more" in text
    assert ("part 3" in text, "part 0" in text) == (True, False)


async def test_a_place_that_is_away_keeps_what_there_is_and_what_is_old_goes(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver
) -> None:
    async with followed(cast.cluster) as followers:
        await kept(followers, "listening")
        forgetful.mood = Mood.AWAY
        await followers.look()
    assert await KeptLog.objects.acount() == 3
    old = timezone.now() - keeping.KEPT - timedelta(hours=1)
    await KeptLog.objects.filter(number=1).aupdate(ended_at=old)
    await sync_to_async(keeping.forget_old)()
    assert await KeptLog.objects.acount() == 2


@pytest.mark.parametrize("known", [False, True], ids=["just gone", "known to be away"])
async def test_while_the_cluster_is_away_kept_lines_are_shown_and_that_is_said(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read, async_client: AsyncClient, known: bool
) -> None:
    ref = await sync_to_async(ref_of)(running, "web")
    async with followed(cast.cluster) as followers:
        for number in (1, 2, 3):
            forgetful.say(ref, number, b"kept before %d" % number)
        await kept(followers, "kept before 3")
        forgetful.mood = Mood.AWAY
        if known:
            assert not await sync_to_async(observe)(cast.cluster)
            await cast.cluster.arefresh_from_db()
    said = "is away since" if known else "does not answer"
    text = (await read()).decode()
    assert [text.count(f"kept before {number}") for number in (1, 2, 3)] == [1, 1, 1]
    assert said in text.splitlines()[-1]
    assert "These lines were kept; newer ones may be missing." in text.splitlines()[-1]
    one = await KeptLog.objects.aget(number=2)
    file = (await read(f"{LOGS}/download?instance={one.pk}")).decode()
    assert "kept before 2" in file
    assert said in file.splitlines()[-1]
    await sync_to_async(async_client.force_login)(cast.developer)
    page = (await async_client.get("/t/acme/p/shop/apps/hello/logs/?environment=dev")).content.decode()
    assert "kept before 1" in page
    assert page.count("These lines were kept; newer ones may be missing.") == 1, "a note above, no line among the rest"


async def test_a_cluster_that_is_away_and_of_which_nothing_was_kept_says_so(
    running: AppEnvironment, forgetful: FakeDriver, read: Read
) -> None:
    forgetful.mood = Mood.AWAY
    assert b"cluster_away" in await read(status=503)


async def test_two_that_follow_keep_each_line_once(cast: Cast, running: AppEnvironment, forgetful: FakeDriver) -> None:
    ref = await sync_to_async(ref_of)(running, "web")
    async with followed(cast.cluster) as one, followed(cast.cluster) as other:
        for turn in range(5):
            forgetful.say(ref, 1, b"turn %d" % turn)
            await kept(one, f"turn {turn}")
            await other.write()
            await other.look()
    text = await sync_to_async(all_kept)()
    assert [text.count(f"turn {turn}") for turn in range(5)] == [1] * 5


async def test_another_s_kept_log_is_not_there(
    cast: Cast, running: AppEnvironment, forgetful: FakeDriver, read: Read
) -> None:
    async with followed(cast.cluster) as followers:
        await kept(followers, "listening")
    log = await KeptLog.objects.aget(number=1)
    other = AppEnvironment.objects.exclude(pk=running.pk)
    await KeptLog.objects.filter(pk=log.pk).aupdate(place=(await other.afirst()).pk)  # type: ignore[union-attr]
    body = await read(f"{LOGS}?instance={log.pk}", status=400)
    assert b"no such instance" in body


async def test_a_cluster_that_keeps_logs_is_not_followed(cast: Cast, running: AppEnvironment) -> None:
    async with followed(cast.cluster):
        assert await KeptLog.objects.acount() == 0


def test_pieces_of_any_length_become_whole_lines() -> None:
    raw = b"2026-01-02T03:04:05.000000001Z one\nno time\n2026-01-02T03:04:05.000000002Z two\n"
    cut = Cut()
    found = [one for at in range(0, len(raw), 7) for one in cut.of(raw[at : at + 7])]
    assert [line[start:] for _at, line, start in found] == [b"one", b"two"]
    assert [at % 10 for at, _line, _start in found] == [1, 2]


def test_lines_of_the_very_time_of_a_mark_are_counted() -> None:
    past = Past(Mark(5, 2))
    assert [past.fresh(at) for at in (4, 5, 5, 5, 6)] == [False, False, False, True, True]
    assert past.met


def test_what_is_taken_bears_its_times() -> None:
    mark = Mark()
    intake = Intake(mark)
    intake.add(b"1970-01-01T00:00:00.000000005Z a\n1970-01-01T00:00:00.000000009Z b\n", lost="engine")
    piece = intake.take()
    assert isinstance(piece, Packed)
    assert (piece.first_ns, piece.last_ns, piece.lines, piece.lost) == (5, 9, 2, "")
    assert (mark.at_ns, mark.lines) == (9, 1)
    assert intake.take() is None
