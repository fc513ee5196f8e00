"""`./berth up`, `down` and `status`."""

import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from launcher import packages, sample_images
from launcher.engine import PrivateEngine
from launcher.engine_api import EngineError
from launcher.engine_choice import Choice, Chooser
from launcher.identity import dev as identity
from launcher.identity.server import PrivateKeystone
from launcher.install import RUNTIME, Environment
from launcher.keys import make_keys
from launcher.paths import ROOT, State
from launcher.portal import Place, Server, kubeconfig_file, prepare
from launcher.problems import Problem
from launcher.processes import Mark
from launcher.registry import Berth, PrivateRegistry
from launcher.report import complain, say, step

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DOWN_SECONDS = 45.0


class Stopped(BaseException):
    """A person or the system asked the launcher to end."""


@dataclass(frozen=True)
class Wishes:
    """The options of `./berth up`."""

    place: Place
    engine: str
    install: bool
    detach: bool
    cast: bool = False
    keystone: str = ""
    kubeconfig: str = ""


def up(wishes: Wishes, *, state: State) -> int:
    """Install, start, serve. Comes back when told to stop (or at once with --detach); gives the exit code."""
    state.prepare()
    server = Server(state)
    if server.running() and (place := server.place()):
        say(f"Berth already runs at {place.url} (./berth down ends it)")
        return 0
    wishes.place.refuse_if_taken()
    with alone(state), stoppable(), undoing() as undo:
        try:
            start(wishes, state=state, server=server, undo=undo)
            if wishes.detach:
                undo.pop_all()
                say("It runs in the background; ./berth down ends it.")
                return 0
            say("Ctrl-C ends it.")
            return watch(server)
        except Stopped:
            say("\nStopping …")
            return 0


def start(wishes: Wishes, *, state: State, server: Server, undo: ExitStack) -> None:
    """All steps from nothing to a page. `undo` collects how to end what was started."""
    kubeconfig = kubeconfig_file(wishes.kubeconfig)
    environment = Environment(ROOT)
    with step("Packages") as now:
        now.note(packages_ready(environment, may_install=wishes.install))
    with step("Keys") as now:
        made = make_keys(state.keys)
        now.note(f"Keys made: {', '.join(made)}" if made else "Keys are there")
    choice = find_engine(wishes, state=state, undo=undo)
    if choice.url:
        give_samples(choice.url)
    accounts = start_keystone(wishes, state=state, undo=undo)
    place = replace(wishes.place, also=PrivateEngine(state.folder).machine if choice.private else "")
    start_registry(wishes, place, state=state, undo=undo)
    with step("Database and first contents"):
        samples = sample_images.facts()
        made_first = prepare(state, engine=choice, samples=samples, cast=wishes.cast, kubeconfig=kubeconfig)
    say_passwords({made_first["owner"]: made_first.get("password")} | made_first.get("cast", {}))
    tell_accounts(accounts)
    if wishes.kubeconfig:
        with step("Kubernetes cluster") as now:
            now.note(f"Kubernetes cluster: {attached(made_first, wishes.kubeconfig)}")
    with step("Portal") as now:
        undo.callback(server.stop)
        server.start(place)
        now.note(f"Portal, log in {server.log}")
    say(f"\nBerth is ready at {wishes.place.url}")


def say_passwords(made: Mapping[str, str | None]) -> None:
    """The passwords of new accounts; of those that were there already nothing is known any more."""
    told = {name: password for name, password in made.items() if password}
    if len(told) == 1:
        for name, password in told.items():
            say(f"\n        Sign in as {name} with the one-time password {password}")
        say("        It is shown only this once.\n")
    elif told:
        say("\n        Sign in with these one-time passwords; they are shown only this once.")
        for name, password in told.items():
            say(f"        {name:<12}{password}")
        say()


def packages_ready(environment: Environment, *, may_install: bool) -> str:
    """Install the locked packages unless they are there; gives back the step's text."""
    if environment.current(RUNTIME):
        return "Packages are there"
    if not may_install:
        if environment.usable:
            return "Packages as they are (--no-install)"
        raise Problem(
            "Berth is not installed, and --no-install forbids it.",
            hint="Run ./berth up without --no-install.",
        )
    return f"Packages of {RUNTIME} installed with {environment.install(RUNTIME)}"


def find_engine(wishes: Wishes, *, state: State, undo: ExitStack) -> Choice:
    """Find or start an engine."""
    may_ask = sys.stdin.isatty() and sys.stdout.isatty()
    chooser = Chooser(state, asked=wishes.engine, may_install=wishes.install, ask=ask if may_ask else None)
    private = PrivateEngine(state.folder)
    if os.geteuid() == 0 and not private.status().running:
        undo.callback(private.stop)
    with step("Engine") as now:
        choice = chooser.choose()
        if not choice.url:
            now.note("No engine: Berth starts without one")
        elif choice.private:
            now.note(f"Private Docker Swarm {'started' if choice.started_now else 'is running'}")
        else:
            now.note(f"Docker Swarm at {choice.url}")
    if choice.note:
        say(f"        {choice.note}")
    return choice


def start_keystone(wishes: Wishes, *, state: State, undo: ExitStack) -> dict[str, str]:
    """Start the Keystone that was asked for; gives back new accounts' passwords. Without it people are local."""
    if not wishes.keystone:
        identity.disconnect(state)
        return {}
    with step("Keystone's packages") as now:
        python, note = identity.install(state, may_install=wishes.install)
        now.note(note)
    with step("Keystone") as now:
        server, seeded = identity.start(state, python)
        undo.callback(server.stop)
        now.note(f"Keystone at {server.url}, log in {server.log}")
    return seeded.passwords


def start_registry(wishes: Wishes, place: Place, *, state: State, undo: ExitStack) -> None:
    """Start the registry that people push to, unless REGISTRY_URL names one; Berth is of use without it too."""
    registry = PrivateRegistry(state)
    if named := os.environ.get("REGISTRY_URL"):
        registry.forget()
        with step(f"Registry at {named}"):
            return
    realm, events = (f"{url}registry/{name}" for url, name in ((place.seen_by_engines, "token"), (place.url, "events")))
    try:
        with step("Registry") as now:
            if wishes.install and os.geteuid() == 0:
                packages.install([*packages.REGISTRY, *packages.SOURCES])
            undo.callback(registry.stop)
            now.note(
                f"Registry at {registry.start(place.also or '127.0.0.1', Berth(realm, events))}, log in {registry.log}"
            )
    except Problem as problem:
        registry.forget()
        say(f"        No registry: {problem.message} {problem.hint}".rstrip())


def tell_accounts(passwords: Mapping[str, str]) -> None:
    if not passwords:
        return
    say("\n        Accounts in Keystone, with their organization and password:")
    for name, password in passwords.items():
        say(f"        {name:<10} {identity.ACCOUNTS[name][0]:<7} {password}")
    say("        They are shown only this once.\n")


def attached(made: Mapping[str, Any], kubeconfig: str) -> str:
    """What was said of the cluster of a kubeconfig. Raises `Problem` where it was not taken."""
    if "refused" in made:
        raise Problem(f"The cluster of {kubeconfig} was not taken. {made['refused']}")
    return str(made["attached"])


def give_samples(url: str) -> None:
    """Load the sample images; Berth is of use without them too, so a failure is only told."""
    try:
        with step("Sample images") as now:
            loaded = sample_images.ensure(url)
            now.note(f"{len(loaded)} sample images made" if loaded else "Sample images are there")
    except (Problem, EngineError, OSError) as problem:
        say(f"        {problem}")


def ask(question: str) -> bool:
    """Put a yes-or-no question at the terminal; no answer is a no."""
    sys.stdout.write(f"        {question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def watch(server: Server) -> int:
    """Wait while the server runs. It does not end by itself, so if it does that is a problem."""
    mark = server.running()
    while mark and mark.alive():
        mark.wait(seconds=3600)
    raise Problem(f"The portal ended by itself: {server.last_words()}", hint=f"Its log is {server.log}.")


@contextmanager
def alone(state: State) -> Iterator[None]:
    """Only one `up` for a state folder; its own mark lets `down` find it."""
    with (state.run / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(
                f"Another ./berth up is at work on {state.folder}.",
                hint="Wait for it, end it with ./berth down, or set BERTH_STATE to another folder.",
            ) from error
        own = Mark.of(os.getpid())
        if own:
            own.save(state.run / "up.mark")
        try:
            yield
        finally:
            (state.run / "up.mark").unlink(missing_ok=True)


@contextmanager
def undoing() -> Iterator[ExitStack]:
    """A stack of what to end afterwards; while that goes on, signals cannot cut it short."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        with ExitStack() as undo:
            try:
                yield undo
            finally:
                for number in STOP_SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn Ctrl-C, a polite kill and a closed terminal into `Stopped`."""

    def stop(*_: int | FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def down(*, state: State) -> int:
    """End all that was started for this state folder, whoever started it and however that one ended."""
    if not state.folder.is_dir():
        say(f"Nothing runs: {state.folder} does not exist.")
        return 0
    launcher = Mark.load(state.run / "up.mark")
    if launcher:
        with step("Launcher ended"):
            launcher.end(grace_seconds=DOWN_SECONDS)
    with step("Portal ended") as now:
        if not Server(state).stop():
            now.note("Portal was not running")
    if keystone := identity.there(state):
        end("Keystone", keystone)
    if (registry := PrivateRegistry(state)).folder.is_dir():
        end("Registry", registry)
    if state.engine.is_dir() and os.geteuid() == 0:
        with step("Private engine ended, nothing of it left on the machine"):
            PrivateEngine(state.folder).stop()
    return 0


def end(name: str, server: PrivateKeystone | PrivateRegistry) -> None:
    with step(f"{name} ended") as now:
        if not server.stop():
            now.note(f"{name} was not running")


def status(*, state: State) -> int:
    """Say what runs; exit code 0 if the portal answers, 3 if not."""
    server = Server(state)
    mark, place = server.running(), server.place()
    serving = bool(mark and place and place.healthy())
    if mark and place:
        say(f"portal  {'serves' if serving else 'does not answer'} at {place.url} (process {mark.pid})")
    else:
        say("portal  not running")
    remembered = Chooser(state, asked="", may_install=False, ask=None).remembered()
    if state.engine.is_dir():
        seen = PrivateEngine(state.folder).status()
        text = f"running at {seen.url}, ports at {seen.address} (process {seen.pid})" if seen.running else "not running"
        say(f"engine  private, {text}")
        if seen.running and not seen.way_out:
            complain(
                "The private engine's way out (slirp4netns) has ended, so images cannot be pulled.",
                hint="Run ./berth down, then ./berth up.",
            )
    else:
        say(f"engine  {remembered or 'none yet'}")
    if keystone := identity.there(state):
        say(f"keystone {'running at ' + keystone.url if keystone.running() else 'not running'}")
    if (registry := PrivateRegistry(state)).url:
        say(f"registry {'running at ' + registry.url if registry.running() else 'not running'}")
    say(f"state   {state.folder}")
    return 0 if serving else 3
