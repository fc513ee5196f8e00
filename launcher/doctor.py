"""`./berth doctor`: what this machine lacks, and how to get it."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launcher import packages
from launcher.commands import attempt, find
from launcher.engine import missing_programs
from launcher.engine_api import EngineClient
from launcher.engine_choice import LOCAL
from launcher.identity.dev import connection_file
from launcher.install import RUNTIME, Environment
from launcher.paths import PYTHON, ROOT, State
from launcher.portal import environment
from launcher.problems import Problem
from launcher.registry import PROGRAM, PrivateRegistry
from launcher.report import say
from launcher.sample_images import static_busybox

ROOM_BYTES = 2 * 10**9


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `hint` says how to get it where `there` is false."""

    name: str
    there: bool
    hint: str = ""
    needed: bool = True


def doctor(*, state: State) -> int:
    """Print every finding; exit code 1 if something needed is missing."""
    findings = list(look(state))
    for found in findings:
        word = "ok" if found.there else "missing" if found.needed else "absent"
        say(f"{word:>8}  {found.name}")
        if not found.there and found.hint:
            say(f"{'':>10}{found.hint}")
    lacking = [found for found in findings if found.needed and not found.there]
    say()
    say(f"{len(lacking)} needed things are missing." if lacking else "All that is needed is there.")
    return 1 if lacking else 0


def look(state: State) -> Iterator[Finding]:
    """Look at everything, most basic first."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(f"Python {version}", there=True)
    yield from look_at_install()
    yield look_at_state(state)
    yield from look_at_engine()
    yield from look_at_keystone(state)
    yield look_at_registry(state)
    lacking = packages.lacking([*packages.SERVICES, *packages.BROWSER, *packages.TRANSLATION])
    yield Finding(
        "Debian packages for ./berth test",
        there=not lacking,
        hint=packages.way_out(lacking) + " (./berth test does that itself as root)",
        needed=False,
    )


def look_at_registry(state: State) -> Finding:
    """One that is named counts, wherever it is; else the program of one's own."""
    if named := os.environ.get("REGISTRY_URL"):
        return Finding(f"a registry at {named}, for images that people push", there=True)
    registry = PrivateRegistry(state)
    if registry.running():
        return Finding(f"a registry at {registry.url}, for images that people push", there=True)
    return Finding(
        "the program of a registry, for images that people push",
        there=find(PROGRAM) is not None and find("openssl") is not None,
        hint=packages.way_out(packages.REGISTRY) + " (./berth up does that itself as root)",
        needed=False,
    )


def look_at_install() -> Iterator[Finding]:
    ready = Environment(ROOT).current(RUNTIME)
    can_make = bool(shutil.which("uv")) or attempt([sys.executable, "-c", "import ensurepip, venv"]).returncode == 0
    yield Finding(
        "a tool that makes virtual environments (uv, or Python's venv)",
        there=ready or can_make,
        hint=packages.way_out(["python3-venv"]),
    )
    yield Finding("the locked packages in .venv", there=ready, hint="./berth up installs them.", needed=False)


def look_at_state(state: State) -> Finding:
    folder = next(path for path in (state.folder, *state.folder.parents) if path.exists())
    writable = os.access(folder, os.W_OK)
    room = shutil.disk_usage(folder).free
    return Finding(
        f"a state folder at {state.folder} with room ({room / 1e9:.0f} GB free)",
        there=writable and room > ROOM_BYTES,
        hint="Set BERTH_STATE to a folder you may write to, on a disk with at least 2 GB free.",
    )


def look_at_engine() -> Iterator[Finding]:
    """An engine that is there counts; else all that a private one needs."""
    url = os.environ.get("DOCKER_HOST") or LOCAL
    try:
        if EngineClient(url, timeout_seconds=3).answers():
            yield Finding(f"an engine at {url}", there=True)
            return
    except Problem as problem:
        yield Finding(f"a sensible DOCKER_HOST ({url})", there=False, hint=problem.hint)
        return
    yield Finding(f"an engine at {url}", there=False, hint="Not needed: a private one is started.", needed=False)
    yield Finding(
        "root, for a private engine",
        there=os.geteuid() == 0,
        hint="Run ./berth as root, or give --engine URL.",
    )
    missing = missing_programs()
    yield Finding(
        "the programs of a private engine",
        there=not missing,
        hint=packages.way_out(sorted(set(missing.values()))) + " (./berth up does that itself as root)",
    )
    yield Finding("/dev/net/tun", there=Path("/dev/net/tun").exists(), hint="Load the kernel module: modprobe tun")
    yield Finding("control groups", there=has_cgroups(), hint=packages.way_out(["cgroupfs-mount"]))
    yield Finding(
        "a static busybox, for the sample images",
        there=has_busybox(),
        hint=packages.way_out(["busybox-static"]),
    )


def look_at_keystone(state: State) -> Iterator[Finding]:
    """Whether the account that reads Keystone is what it should be; nothing where there is no Keystone."""
    if not (os.environ.get("KEYSTONE_URL") or connection_file(state).exists()) or not PYTHON.exists():
        return
    done = attempt([str(PYTHON), "manage.py", "check_identity"], env=environment(state), cwd=ROOT)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        yield Finding("a connection to Keystone", there=False, hint=" ".join(last))
        return
    yield from (Finding(**found) for found in json.loads(done.stdout.strip().splitlines()[-1]))


def has_cgroups() -> bool:
    tree = Path("/sys/fs/cgroup")
    return (tree / "cgroup.controllers").exists() or (tree / "memory").is_dir()


def has_busybox() -> bool:
    try:
        return bool(static_busybox()) and find("busybox") is not None
    except Problem:
        return False
