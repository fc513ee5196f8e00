"""`./berth test`: set up what a part of the tests needs, run it, take it down again."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from launcher import outcomes, packages, sample_images
from launcher.engine import PrivateEngine
from launcher.identity import dev as identity
from launcher.install import DEVELOPMENT, Environment
from launcher.keys import make_keys
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster
from launcher.lanes import beside
from launcher.outcomes import Outcome
from launcher.paths import PYTHON, ROOT, State
from launcher.portal import environment
from launcher.problems import Problem
from launcher.report import complain, say, step
from launcher.services import PrivatePostgres, PrivateRedis
from launcher.up import Stopped, stoppable, undoing

CLEARING_SECONDS = 60.0
Variables = dict[str, str]
Service = Callable[[State, ExitStack], Variables]


def engine(state: State, undo: ExitStack) -> Variables:
    """A private Swarm with the sample images."""
    private = PrivateEngine(state.folder)
    undo.callback(private.destroy)
    with step("Private Swarm"):
        started = private.start()
    with step("Sample images"):
        sample_images.ensure(started.url)
    return {"BERTH_TEST_ENGINE": started.url, "BERTH_TEST_ENGINE_ADDRESS": started.address}


def cluster(state: State, undo: ExitStack) -> Variables:
    """The Kubernetes named in BERTH_TEST_KUBECONFIG, else a private one; where neither can be had the tests say so."""
    if os.environ.get("BERTH_TEST_KUBECONFIG"):
        return {}
    with step("Private Kubernetes") as now:
        if reason := binaries.why_not():
            now.note(f"No tests on Kubernetes: {reason}")
            return {}
        if not binaries.built():
            say("Its programs are built now, once: this takes five to ten minutes.")
        private = PrivateCluster(state.folder)
        undo.callback(private.destroy)
        started = {"BERTH_TEST_KUBECONFIG": str(private.start()), "BERTH_TEST_REGISTRY": private.registry}
        return started | {"BERTH_TEST_CLUSTER": str(state.folder)}


def databases(state: State, undo: ExitStack) -> Variables:
    """A private PostgreSQL and a private Redis."""
    postgres = PrivatePostgres(state.folder / "postgres")
    redis = PrivateRedis(state.folder / "redis")
    undo.callback(postgres.destroy)
    undo.callback(redis.stop)
    with step("Private PostgreSQL"):
        database_url = postgres.start()
    with step("Private Redis"):
        redis_url = redis.start()
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url}


def keystone(_: State, __: ExitStack) -> Variables:
    """Keystone's own packages, kept in the lasting state folder; tests start and end their servers themselves."""
    own = State.from_environment()
    own.prepare()
    with step("Keystone's packages") as now:
        python, note = identity.install(own, may_install=True)
        now.note(note)
    return {"BERTH_TEST_KEYSTONE": str(python)}


def browser(_: State, __: ExitStack) -> Variables:
    """Debian's Chromium."""
    return {"BERTH_TEST_BROWSER": shutil.which("chromium") or ""}


@dataclass(frozen=True)
class Part:
    """One part of the tests: programs of the virtual environment with their words, and what they need."""

    commands: tuple[tuple[str, ...], ...]
    packages: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    takes_extra: bool = True
    most_minutes: int = 30  # twice as long as it takes on a slow machine: what hangs is ended, and said
    variables: Mapping[str, str] = field(default_factory=dict)


def pytest(marks: str, *words: str) -> tuple[tuple[str, ...], ...]:
    return (("pytest", "-m", marks, *words),)


CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("djlint", "templates", "--lint"),
    ("manage.py", "check", "--fail-level", "WARNING"),
    ("manage.py", "makemigrations", "--check", "--dry-run"),
    (
        "pytest",
        "--collect-only",
        "-qqq",
        "--disable-warnings",
    ),  # a module that cannot be imported is known in seconds, not in minutes
)
FAST = pytest("not (live or kubernetes or e2e or browser or keystone or wide)", "-n", "2")
STORED = pytest("not (live or kubernetes or e2e or browser or keystone or wide or storeless)", "-n", "2")
LIVE = (*packages.ENGINE, *packages.IMAGES, *packages.REGISTRY, *packages.CLIENTS)
LIVE_ALL = (*LIVE, *packages.SERVICES)
E2E = (*LIVE, *packages.BROWSER)
PARTS = {
    "checks": Part(CHECKS, packages=packages.TRANSLATION, takes_extra=False),
    "fast": Part(FAST, packages=packages.TRANSLATION),
    "matrix": Part(pytest("wide", "-n", "2"), packages=packages.TRANSLATION),
    "postgres": Part(STORED, packages=(*packages.SERVICES, *packages.TRANSLATION), services=(databases,)),
    "browser": Part(pytest("browser", "-n", "2"), packages=packages.BROWSER, services=(browser,)),
    "keystone": Part(pytest("keystone"), packages=packages.TRANSLATION, services=(keystone,)),
    "live": Part(
        pytest("live and not (e2e or keystone or kubernetes)"),
        packages=LIVE_ALL,
        services=(engine,),
        most_minutes=60,
    ),
    "kubernetes": Part(
        pytest("kubernetes and not e2e"),
        packages=(*packages.IMAGES, *packages.KUBERNETES),
        services=(cluster,),
        most_minutes=60,
    ),
    "e2e": Part(pytest("e2e and not kubernetes"), packages=E2E, services=(engine, keystone, browser), most_minutes=60),
    "e2e-kubernetes": Part(
        pytest("e2e and kubernetes"),
        packages=(*E2E, *packages.KUBERNETES),
        services=(engine, cluster, browser),
        most_minutes=60,
    ),
}
# These wait for their engines most of the time, so two processors carry two of them at once.
LANES = (("live", "e2e-kubernetes"), ("keystone", "e2e", "kubernetes"))


@dataclass(frozen=True)
class Result:
    """How a part ended."""

    name: str
    passed: bool
    seconds: float
    tests: Outcome | None = None


def run_tests(names: Sequence[str], *, extra: Sequence[str], may_install: bool) -> int:
    """Run the named parts in their order (all, if none is named); exit code 0 if every one passed."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise Problem(f"There is no part of the tests called {unknown[0]}.", hint=f"Parts: {', '.join(PARTS)}.")
    wanted = [name for name in PARTS if not names or name in names]
    with stoppable():
        try:
            make_ready(wanted, may_install=may_install)
            results = run_parts(wanted, extra=extra)
        except Stopped:
            complain("Stopped.")
            return 130
    report(results)
    return 0 if all(result.passed for result in results) else 1


def run_parts(wanted: Sequence[str], *, extra: Sequence[str]) -> list[Result]:
    """One after the other what needs the whole machine, then the lanes."""
    run = partial(run_part, extra=extra)
    lanes = [[name for name in lane if name in wanted] for lane in LANES]
    waiting = {name for lane in lanes for name in lane}
    results = [run(name) for name in wanted if name not in waiting]
    if waiting:
        with programs_being_built(waiting):
            results += beside([lane for lane in lanes if lane], run, lost=lambda name: Result(name, False, 0.0))
    return results


@contextmanager
def programs_being_built(names: Collection[str]) -> Iterator[None]:
    """Those of the private Kubernetes, where they are wanted and not there, beside what does not wait for them."""
    if not any(cluster in PARTS[name].services for name in names) or binaries.built() or binaries.why_not():
        yield
        return
    say("The programs of the private Kubernetes are built now, once, beside the tests.")
    words = ["nice", "-n", "19", sys.executable, "-m", "launcher.kubernetes", "build"]
    with subprocess.Popen(words, cwd=ROOT, start_new_session=True) as building:
        with suppress(OSError):  # where the kernel weighs sessions, niceness counts within one only
            Path(f"/proc/{building.pid}/autogroup").write_text("19")
        try:
            yield
        finally:
            if building.poll() is None:
                os.killpg(building.pid, signal.SIGTERM)


def make_ready(wanted: Sequence[str], *, may_install: bool) -> None:
    """Have the Debian packages and the Python packages of these parts."""
    needed = sorted({package for name in wanted for package in PARTS[name].packages})
    if any(engine in PARTS[name].services for name in wanted) and os.geteuid() != 0:
        raise Problem(
            "The live and e2e parts start a private Swarm, which needs root, and you are another user.",
            hint="Run ./berth test as root, or only: ./berth test checks fast browser postgres",
        )
    with step("Debian packages") as now:
        missing = packages.lacking(needed)
        if missing and not may_install:
            raise Problem(f"Missing: {', '.join(missing)}.", hint=packages.way_out(missing))
        installed = packages.install(needed)
        now.note(f"Debian packages installed: {', '.join(installed)}" if installed else "Debian packages are there")
    own = Environment(ROOT)
    with step("Python packages") as now:
        if own.current(DEVELOPMENT):
            now.note("Python packages are there")
        elif may_install:
            now.note(f"Python packages of {DEVELOPMENT} installed with {own.install(DEVELOPMENT)}")


def run_part(name: str, *, extra: Sequence[str]) -> Result:
    """Run one part with its services in a state folder of its own."""
    part = PARTS[name]
    say(f"\n=== {name}")
    began = time.monotonic()
    try:
        with temporary_state() as state, undoing() as undo:
            variables = environment(state) | dict(part.variables)
            for service in part.services:
                variables |= service(state, undo)
            written = state.folder / "tests.xml"
            commands = [(*words, *outcomes.words(written)) if "-m" in words else words for words in part.commands]
            passed = all([run_command(words, part=part, extra=extra, env=variables) for words in commands])
            tests = outcomes.outcome(written)
    except Problem as problem:
        complain(problem.message, hint=problem.hint)
        passed, tests = False, None
    return Result(name, passed, time.monotonic() - began, tests)


def run_command(words: Sequence[str], *, part: Part, extra: Sequence[str], env: Variables) -> bool:
    """Run one command of a part with its output as it is."""
    more = extra if part.takes_extra else ()
    say(f"--- {' '.join([*words, *more])}")
    program = [str(PYTHON), words[0]] if words[0].endswith(".py") else [str(PYTHON.parent / words[0])]
    return call([*program, *words[1:], *more], env=env, seconds=part.most_minutes * 60)


def call(words: Sequence[str], *, env: Variables, seconds: float) -> bool:
    """Whether it went well, in that time. Whoever stops us gives it a minute to clear up what it started."""
    with subprocess.Popen(words, cwd=ROOT, env=env) as process:
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            complain(f"{words[0]} took longer than {seconds:.0f} s and was ended.")
            clear_up(process)
            return False
        except Stopped:
            clear_up(process)
            raise


def clear_up(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(CLEARING_SECONDS)
    process.kill()


@contextmanager
def temporary_state() -> Iterator[State]:
    """A state folder with keys, gone afterwards. Others may pass through it, as PostgreSQL's user must."""
    folder = Path(tempfile.mkdtemp(prefix="berth-test-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        state = State(folder.resolve())
        state.prepare()
        make_keys(state.keys)
        yield state
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(results: Sequence[Result]) -> None:
    """One table of all parts, and under it every test that failed, whichever part it was of."""
    say("\nPart            Result   Duration       Tests passed  failed  skipped")
    for result in results:
        minutes, seconds = divmod(round(result.seconds), 60)
        line = f"{result.name:<15} {'passed' if result.passed else 'FAILED':<8} {minutes:>3} min {seconds:02} s"
        if (tests := result.tests) is not None:
            line += f"   {tests.passed:>12}  {len(tests.failed):>6}  {tests.skipped:>7}"
        say(line)
    for name, test in [(one.name, test) for one in results if one.tests for test in one.tests.failed]:
        say(f"FAILED {test} (in {name})")
