"""The words of the command line."""

import argparse
from collections.abc import Sequence

from launcher.doctor import doctor
from launcher.engine_command import engine_command
from launcher.paths import State
from launcher.portal import ATTACHED, Place, manage
from launcher.problems import Problem
from launcher.report import complain
from launcher.testing import PARTS, run_tests
from launcher.up import Wishes, down, status, up

EPILOG = "BERTH_STATE names the folder that holds all state (default: var beside the program)."


def port(text: str) -> int:
    """A TCP port from an option's text."""
    if text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” is not a port; give a number from 1 to 65535, such as 8000")


def parser() -> argparse.ArgumentParser:
    """All verbs with their options."""
    top = argparse.ArgumentParser(
        prog="berth", description="Runs Berth and everything it needs.", epilog=EPILOG, allow_abbrev=False
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_up(verbs)
    verbs.add_parser("down", help="end everything that was started")
    verbs.add_parser("status", help="say what runs")
    verbs.add_parser("doctor", help="say what this machine lacks and how to get it")
    verbs.add_parser("manage", help="Django's manage.py, with everything after it")
    tests = verbs.add_parser("test", help="check and test, with everything that needs", allow_abbrev=False)
    tests.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    tests.add_argument("--no-install", action="store_true", help="install nothing")
    engine = verbs.add_parser("engine", help="the private engine alone, for tests: up, down, kill, status")
    engine.add_argument("what", choices=["up", "down", "kill", "status"])
    return top


def add_up(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`up` and its options."""
    start = verbs.add_parser(
        "up", help="install what is missing, start everything, print the address", allow_abbrev=False
    )
    start.add_argument("--port", type=port, default=8000, help="where the portal listens (default: 8000)")
    start.add_argument("--host", default="127.0.0.1", help="the address it listens at (default: 127.0.0.1)")
    start.add_argument(
        "--engine",
        default="",
        metavar="URL",
        help="deploy to this engine, such as tcp://HOST:2375; “private” for Berth's own, or “none”",
    )
    start.add_argument(
        "--kubeconfig",
        default="",
        metavar="FILE",
        help=f"also make this Kubernetes cluster known, as “{ATTACHED}”",
    )
    start.add_argument(
        "--keystone",
        default="",
        choices=["", "dev"],
        metavar="dev",
        help="start a Keystone of Berth's own, with organizations, tenants and an account for each role",
    )
    start.add_argument("--no-install", action="store_true", help="install nothing")
    start.add_argument(
        "--cast",
        action="store_true",
        help="also accounts named by their roles, in tenants acme and globex, to try them",
    )
    start.add_argument("--detach", action="store_true", help="leave it running in the background")


def act(words: Sequence[str]) -> int:
    """Do what the words say. Raises `Problem`."""
    if words[:1] == ["manage"]:
        manage(words[1:], state=State.from_environment())
    own, extra = split(words)
    asked = parser().parse_args(own)
    if extra and asked.verb != "test":
        parser().error("only “berth test” takes more words after --")
    if asked.verb == "test":
        return run_tests(asked.parts, extra=extra, may_install=not asked.no_install)
    state = State.from_environment()
    match asked.verb:
        case "up":
            place = Place(asked.host, asked.port)
            wishes = Wishes(
                place,
                asked.engine,
                not asked.no_install,
                asked.detach,
                asked.cast,
                asked.keystone,
                asked.kubeconfig,
            )
            return up(wishes, state=state)
        case "down":
            return down(state=state)
        case "status":
            return status(state=state)
        case "doctor":
            return doctor(state=state)
    return engine_command(asked.what, state=state)


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words before and after `--`."""
    listed = list(words)
    if "--" not in listed:
        return listed, []
    at = listed.index("--")
    return listed[:at], listed[at + 1 :]


def main(words: Sequence[str]) -> int:
    """Run one command; gives back its exit code."""
    try:
        return act(words)
    except Problem as problem:
        complain(problem.message, hint=problem.hint)
        return problem.code
    except KeyboardInterrupt:
        return 130
