"""Whatever is stored as a code can be said in words."""

import ast
from collections.abc import Iterator
from pathlib import Path

from audit.commands import COMMANDS
from audit.services import ACTIONS
from audit.words import action_words
from backends import words as engine_words
from backends.contract import ReasonCode
from operations import registry
from portal import seed
from tests.rules.sources import PACKAGES, at, files, name_of, service_modules, told, tree

# Calls that store a code: the function's name and where the code stands among its arguments.
STORING = {"Wait": 1, "StepFailed": 0, "emit": 1, "fail": 1, "begin": 2}


def test_every_action_of_the_audit_has_words() -> None:
    service_modules()  # imported, they have declared their commands
    actions = {*COMMANDS, *registry.HANDLERS, *ACTIONS, seed.SEEDED}
    ours = {action for action in actions if not action.startswith("test.")}  # other tests make up actions of their own
    mute = sorted(action for action in ours if action_words(action) == action)
    assert len(actions) > 20, "The actions were not imported; this test sees nothing."
    assert not mute, told(mute, "Say in audit/words.py what these are called:")


def test_every_reason_of_an_engine_has_a_sentence_and_a_hint() -> None:
    reasons = [{"code": str(code), "params": {}} for code in ReasonCode]
    mute = [reason["code"] for reason in reasons if not engine_words.sentence(reason) or not engine_words.hint(reason)]
    assert not mute, told([str(code) for code in mute], "Give these a sentence and a hint in backends/words.py:")


def test_every_event_of_an_operation_has_a_sentence() -> None:
    known = set(registry._WORDS) | {str(code) for code in ReasonCode}
    mute = [f"{where}: {code}" for where, code in stored_codes() if code not in known]
    assert not mute, told(mute, "Register words for these (operations.registry.register_words):")


def stored_codes() -> Iterator[tuple[str, str]]:
    """Literal codes in calls that store one, with their place."""
    for path in files(*PACKAGES):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and name_of(node.func) in STORING:
                yield from ((at(path, node), code) for code in literal(node, path))


def literal(call: ast.Call, path: Path) -> list[str]:
    number = STORING[name_of(call.func)]
    named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    found = call.args[number : number + 1] or named
    return [
        value.value
        for value in found
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value
    ]


def test_there_are_codes_to_look_at() -> None:
    assert len(list(stored_codes())) >= 5, "This rule finds no codes any more; correct STORING."
