"""What the documents refer to is there."""

import re
from pathlib import Path

import pytest

from launcher.paths import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
TEXTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(text: Path) -> None:
    links = [link.partition("#")[0] for link in LINK.findall(text.read_text()) if "://" not in link]
    gone = [link for link in links if link and not (text.parent / link).exists()]
    assert not gone, f"{text.relative_to(ROOT)} refers to what is not there: {gone}"


def test_every_document_is_reached_from_the_readme() -> None:
    reached, to_read = set(), [ROOT / "README.md"]
    while to_read:
        text = to_read.pop().resolve()
        if text in reached or text.suffix != ".md" or not text.exists():
            continue
        reached.add(text)
        to_read += [
            text.parent / link.partition("#")[0] for link in LINK.findall(text.read_text()) if "://" not in link
        ]
    lost = [str(text.relative_to(ROOT)) for text in TEXTS if text.resolve() not in reached]
    assert not lost, f"Nothing leads to these: {lost}"


def test_commands_of_the_makefile_exist() -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for text in TEXTS for name in re.findall(r"`make ([a-z]+)`", text.read_text())}
    assert named <= known
