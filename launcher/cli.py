"""The words of the command line."""

import argparse
from collections.abc import Sequence

from launcher.engine_command import engine_command
from launcher.paths import State
from launcher.problems import Problem
from launcher.report import complain


def parser() -> argparse.ArgumentParser:
    """All verbs with their options."""
    top = argparse.ArgumentParser(prog="berth", description="Runs Berth and everything it needs.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    engine = verbs.add_parser("engine", help="the private engine alone: up, down, kill, status")
    engine.add_argument("what", choices=["up", "down", "kill", "status"])
    return top


def main(words: Sequence[str]) -> int:
    """Run one command; gives back its exit code."""
    asked = parser().parse_args(words)
    try:
        return engine_command(asked.what, state=State.from_environment())
    except Problem as problem:
        complain(problem.message, hint=problem.hint)
        return problem.code
