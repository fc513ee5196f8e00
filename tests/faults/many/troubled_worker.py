"""Run as a process of its own: the worker of the Procfile with one child, which gets into trouble in the middle of a
step, the first time it comes there. What it went through lies as files in a folder.

`troubled_worker.py MOOD FOLDER`
"""

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django

django.setup()

from celery.signals import task_postrun  # noqa: E402  Django has to be set up first

from backends.swarm.driver import SwarmDriver  # noqa: E402  Django has to be set up first
from operations import leasing, services  # noqa: E402  Django has to be set up first
from portal.celery import app  # noqa: E402  Django has to be set up first

MIB = 1024 * 1024
SPARE = 16 * MIB
WORDS = ["worker", "-P", "prefork", "--concurrency", "1", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]


def stop() -> None:
    """As a machine that sleeps, or a debugger: until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def need_too_much() -> None:
    """Want more memory than this process may have from now on."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + SPARE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    bytearray(4 * SPARE)


def take_long() -> None:
    """Several times a lease."""
    threading.Event().wait(4 * services.LEASE.total_seconds())


MOODS: dict[str, tuple[str, Callable[[], None]]] = {  # after which call of the driver, and what happens then
    "stopped before the engine is asked": ("status", stop),
    "stopped after the engine was asked": ("apply", stop),
    "hungry": ("apply", need_too_much),
    "slow": ("apply", take_long),
}


def troubled(original: Callable[..., Any], trouble: Callable[[], None], folder: Path) -> Callable[..., Any]:
    def call(*args: Any, **params: Any) -> Any:
        result = original(*args, **params)
        if not (folder / "in trouble").exists():
            for earlier in folder.glob("over *"):
                earlier.unlink()  # of steps before this one
            (folder / "in trouble.new").write_text(str(os.getpid()))
            (folder / "in trouble.new").rename(folder / "in trouble")
            trouble()
            (folder / "went on").touch()
        return result

    return call


def main(mood: str, folder: Path) -> None:
    name, trouble = MOODS[mood]
    if trouble is take_long:
        services.LEASE, leasing.RENEW_SECONDS = timedelta(seconds=3), 0.5
    setattr(SwarmDriver, name, troubled(getattr(SwarmDriver, name), trouble, folder))
    task_postrun.connect(lambda **_: (folder / f"over {os.getpid()}").touch(), weak=False)
    app.worker_main(WORDS)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
