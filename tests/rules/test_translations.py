"""Everything a person reads exists in Simplified Chinese, complete and with the same gaps."""

import re
from collections import Counter
from pathlib import Path

import polib
import pytest
from django.template.base import Lexer, TokenType

from tests.rules import messages
from tests.rules.sources import at, told

GAP = re.compile(r"%\(\w+\)[sdf]|%[sdf]|\{\w+\}")
TAG = re.compile(r"<!--.*?-->|<(script|style|svg|code|pre|kbd)\b.*?</\1>|<[^>]*>", re.DOTALL)
READ_ATTRIBUTE = re.compile(
    r'\b(?:title|alt|placeholder|aria-label|aria-description|data-confirm)="([^"{}]*[A-Za-z]{2}[^"{}]*)"'
)
WORD = re.compile(r"[A-Za-z]{2,}")
NAMES = {
    "Berth",
    "en",
    "zh",
    "OpenAPI",
    "UTF",
    "inert",
    "nbsp",
    "mdash",
    "middot",
    "times",
    "rarr",
    "larr",
    "hellip",
    "amp",
    "lt",
    "gt",
    "quot",
}
FOR_US = {"styleguide.html"}  # shown in DEBUG only, to who builds pages
HOW = "Run make messages, translate what is new in locale/zh_Hans/LC_MESSAGES/django.po, and commit it:"


@pytest.fixture(scope="module")
def chinese() -> polib.POFile:
    if not messages.CATALOGUE.exists():
        pytest.fail("There is no locale/zh_Hans/LC_MESSAGES/django.po: run make messages and translate it.")
    return polib.pofile(str(messages.CATALOGUE))


def test_no_text_is_missing_in_the_catalogue(chinese: polib.POFile) -> None:
    known = {messages.key(entry) for entry in chinese if not entry.obsolete}
    missing = [f"{messages.where(e)}: {e.msgid[:80]!r}" for e in messages.gathered() if messages.key(e) not in known]
    assert not missing, told(missing, HOW)


def test_every_text_is_translated(chinese: polib.POFile) -> None:
    wanted = {messages.key(entry) for entry in messages.gathered()}
    entries = [entry for entry in chinese if messages.key(entry) in wanted]
    open_ones = [f"{messages.where(e)}: {e.msgid[:80]!r}" for e in entries if e.fuzzy or not e.translated()]
    assert not open_ones, told(
        open_ones, "Translate these in locale/zh_Hans/LC_MESSAGES/django.po, or take their fuzzy mark away:"
    )


def test_translations_fill_the_same_gaps(chinese: polib.POFile) -> None:
    wrong = [
        f"{entry.linenum}: {entry.msgid[:80]!r}" for entry in chinese if not entry.obsolete and not same_gaps(entry)
    ]
    assert not wrong, told(wrong, "Use the same %(names)s as the English text in these lines of django.po:")


def same_gaps(entry: polib.POEntry) -> bool:
    """Plural forms may leave the number out; nothing may ask for what the English does not give."""
    if entry.msgid_plural:
        given = set(GAP.findall(entry.msgid_plural)) | set(GAP.findall(entry.msgid))
        return all(set(GAP.findall(text)) <= given for text in entry.msgstr_plural.values())
    return not entry.msgstr or Counter(GAP.findall(entry.msgid)) == Counter(GAP.findall(entry.msgstr))


def test_the_compiled_catalogue_is_of_now(chinese: polib.POFile) -> None:
    compiled = messages.CATALOGUE.with_suffix(".mo")
    assert compiled.exists(), "Run make messages: the compiled catalogue is missing."
    made = {messages.key(entry): said(entry) for entry in polib.mofile(str(compiled))}
    meant = {messages.key(entry): said(entry) for entry in chinese.translated_entries()}
    assert made == meant, "Run make messages: the compiled catalogue is not of this django.po."


def said(entry: polib.POEntry) -> object:
    return sorted(entry.msgstr_plural.items()) if entry.msgid_plural else entry.msgstr


@pytest.mark.parametrize("template", [path for path in messages.templates() if path.name not in FOR_US], ids=at)
def test_no_text_escapes_translation(template: Path) -> None:
    untold = untranslated(template.read_text())
    assert not untold, told(untold, "Put these into {% translate %} or {% blocktranslate trimmed %}:")


def untranslated(source: str) -> list[str]:
    """Words a person would read that stand outside every translation tag."""
    shown, inside = [], False
    for token in Lexer(source).tokenize():
        command = token.contents.split()[0] if token.token_type == TokenType.BLOCK and token.contents else ""
        inside = command in {"blocktranslate", "blocktrans", "comment", "verbatim"} or (
            inside and not command.startswith("end")
        )
        if token.token_type == TokenType.TEXT and not inside:
            shown.append(token.contents)
        elif not inside:
            shown.append("\0")
    text = "".join(shown)
    read = READ_ATTRIBUTE.findall(text) + [part for part in TAG.sub("\n", text).replace("\0", " ").splitlines()]
    return [part.strip() for part in read if set(WORD.findall(part)) - NAMES]
