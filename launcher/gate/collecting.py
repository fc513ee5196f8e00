"""Taking out of the store what no image names any more, while nothing is written to it."""

import asyncio
import contextlib
import fcntl
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from launcher.gate.places import Places

DRAIN_SECONDS = 120.0
OWN = re.compile(r"[0-9a-f-]{1,64}\Z")
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


@dataclass
class Report:
    """`freed` in bytes, `layers` as many as were taken out."""

    id: str
    state: str
    freed: int = 0
    layers: int = 0
    left: int = 0
    said: str = ""


class Collector:
    """One at a time. Whoever collects holds the lock, also when the gate that began it is gone."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.closed = False  # nothing is written
        self.writing: set[object] = set()
        self._report: Report | None = None
        self._task: asyncio.Task[None] | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._held: IO[str] | None = None

    @property
    def able(self) -> bool:
        return bool(self.places.collect and self.places.lock)

    async def heed_another(self) -> None:
        """What an earlier gate began may still be at work: stay closed until it is over."""
        if not self.able:
            return
        while not self._take():
            self.closed = True
            await asyncio.sleep(0.2)
        self._release()
        self.closed = False

    def begin(self, name: str) -> Report | None:
        """None while another is under way. Asked for twice it is begun once."""
        known = self.report(name)
        if known is not None:
            return known
        if self.closed or not self.able or not OWN.match(name):
            return None
        self.closed = True
        self._note(Report(name, WAITING))
        self._task = asyncio.create_task(self._run(name))
        return self._report

    def report(self, name: str) -> Report | None:
        """What is known of it. What was cut off with the gate has failed."""
        if self._report is not None and self._report.id == name:
            return self._report
        try:
            found = Report(**json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        if found.id != name:
            return None
        return found if found.state in (DONE, FAILED) else Report(name, FAILED, said="interrupted")

    async def stop(self, name: str) -> None:
        """End it, if it is this one that is under way, and open again."""
        if self._report is not None and self._report.id == name and self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def close(self) -> None:
        if self._report is not None:
            await self.stop(self._report.id)

    async def _run(self, name: str) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while self.writing or not self._take():
                    await asyncio.sleep(0.05)
            self._note(Report(name, RUNNING))
            self._note(await self._collect(name))
        except TimeoutError:
            self._note(Report(name, FAILED, said="busy"))
        except asyncio.CancelledError:
            self._note(Report(name, FAILED, said="cancelled"))
            raise
        except OSError as error:
            self._note(Report(name, FAILED, said=str(error)[:200]))
        finally:
            await self._end_child()
            self._release()
            self.closed = False

    async def _collect(self, name: str) -> Report:
        before = await asyncio.to_thread(self._stored)
        if not (Path(self.places.stored) / "docker/registry/v2/repositories").is_dir():
            return Report(name, DONE, left=before[0])  # nothing was ever pushed, which the command takes for a fault
        self._child = await asyncio.create_subprocess_exec(
            *self.places.collect,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(self._held.fileno(),) if self._held else (),
            env={key: value for key, value in os.environ.items() if not key.startswith(("REGISTRY_", "OTEL_"))},
        )
        last = await self._last_words(self._child)
        if await self._child.wait() != 0:
            return Report(name, FAILED, said=last)
        after = await asyncio.to_thread(self._stored)
        return Report(name, DONE, freed=before[0] - after[0], layers=before[1] - after[1], left=after[0])

    @staticmethod
    async def _last_words(child: asyncio.subprocess.Process) -> str:
        last = b""
        while child.stderr is not None and (some := await child.stderr.read(65536)):
            last = (last + some)[-200:]
        return last.decode(errors="replace").strip()

    def _stored(self) -> tuple[int, int]:
        """(bytes, number) of all that lies there."""
        size = count = 0
        for folder, _folders, files in os.walk(Path(self.places.stored) / "docker/registry/v2/blobs"):
            for file in files:
                with contextlib.suppress(OSError):
                    size += os.stat(os.path.join(folder, file)).st_size
                    count += 1
        return size, count

    async def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            child.kill()
            await asyncio.shield(child.wait())

    @property
    def _file(self) -> Path:
        return Path(self.places.lock).with_suffix(".json")

    def _note(self, report: Report) -> None:
        self._report = report
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(report)))
        fresh.replace(self._file)

    def _take(self) -> bool:
        file = Path(self.places.lock).open("w")  # noqa: SIM115 -- held as long as the lock is
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held = file
        return True

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()
