"""Everything that changes something is a command; every command has a permission, and its entry has words."""

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from audit.commands import COMMANDS
from portal.checks import every_command_needs_a_known_permission
from tests.rules.sources import service_modules, told

# Public functions beside commands: the module that holds them, and why they are none.
NO_COMMANDS = {
    "audit.services": "what @command itself writes with",
    "console.services.began": "the terminal's: what its command opened has started",
    "console.services.still_wanted": "the terminal's sign of life",
    "console.services.closed": "the terminal's; it writes the entry of the end itself",
    "console.services.sweep": "the beat's; it ends what has no process any more, each with its entry",
    "operations.services.enqueue": "called inside a command, whose entry it belongs to",
    "operations.services.busy": "words of a refusal",
    "operations.services.claimable": "a worker's: the life of an operation, fenced and recorded by settle",
    "operations.services.claim": "a worker's",
    "operations.services.fenced": "a worker's",
    "operations.services.pause": "a worker's",
    "operations.services.begin": "a worker's",
    "operations.services.needs_cancel": "says which permission a command needs; changes nothing",
    "operations.services.fail": "a worker's",
    "operations.services.settle": "a worker's; it writes the entry of the end itself",
    "operations.services.emit": "called inside a command or a fenced step",
    "operations.services.emit_if_new": "called inside a fenced step",
}


def public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("_") and function.__module__ == module.__name__:
            yield f"{module.__name__}.{name}", function


def test_every_public_function_of_services_is_a_command() -> None:
    modules = service_modules()  # imported, they have declared their commands
    permissions = [needs for needs in COMMANDS.values() if callable(needs)]
    faults = [
        name
        for module in modules
        if module.__name__ not in NO_COMMANDS
        for name, function in public_functions(module)
        if not hasattr(function, "action") and name not in NO_COMMANDS and function not in permissions
    ]
    advice = (
        "Put @command(action, permission=...) on these, or an underscore before their name if only their own module\n"
        "uses them; a read goes to selectors. What can be none of it stands in NO_COMMANDS with its reason:"
    )
    assert not faults, told(faults, advice)


def test_every_command_is_known_under_its_action() -> None:
    functions = [pair for module in service_modules() for pair in public_functions(module)]
    unknown = [name for name, function in functions if getattr(function, "action", "") not in {"", *COMMANDS}]
    assert not unknown, told(unknown, "These carry an action that COMMANDS does not know; use @command:")
    assert len(COMMANDS) >= 15, "The commands were not imported; this test sees nothing."


def test_exceptions_are_still_needed() -> None:
    there = {name for module in service_modules() for name, _function in public_functions(module)}
    there |= {module.__name__ for module in service_modules()}
    gone = sorted(set(NO_COMMANDS) - there)
    assert not gone, told(gone, "Take these out of NO_COMMANDS; they are not there any more:")


def test_commands_take_everything_but_actor_and_target_by_name() -> None:
    faults = [
        name
        for module in service_modules()
        for name, function in public_functions(module)
        if hasattr(function, "action") and len(positional(function)) != 2
    ]
    assert not faults, told(faults, "Put * after the target: def deploy(actor, place, *, spec):")


def positional(function: Callable[..., Any]) -> list[inspect.Parameter]:
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each for each in inspect.signature(function).parameters.values() if each.kind in by_place]


def test_every_permission_exists() -> None:
    assert not every_command_needs_a_known_permission(None)
