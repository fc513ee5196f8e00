"""Every text people read, gathered from code and templates as `makemessages` does it, without touching the tree."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import polib
import pytest
from django.utils.translation import templatize

from tests.rules.sources import PACKAGES, ROOT, files

CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
KEYWORDS = (
    "gettext_noop",
    "gettext_lazy",
    "ngettext_lazy:1,2",
    "pgettext:1c,2",
    "npgettext:1c,2,3",
    "pgettext_lazy:1c,2",
    "npgettext_lazy:1c,2,3",
)


def templates() -> list[Path]:
    return files("templates", *PACKAGES, ending=".html") + files("templates", *PACKAGES, ending=".txt")


@cache
def gathered() -> polib.POFile:
    """All messages, each with the files it stands in."""
    program = shutil.which("xgettext")
    if program is None:
        pytest.fail("Install GNU gettext: apt-get install -y gettext")
    with tempfile.TemporaryDirectory() as folder:
        sources = [str(path.relative_to(ROOT)) for path in files(*PACKAGES)]
        sources += [rewritten(path, Path(folder)) for path in templates()]
        words = [program, "--language=Python", "--from-code=UTF-8", "--add-comments=Translators", "--output=-"]
        words += [f"--keyword={keyword}" for keyword in KEYWORDS]
        done = subprocess.run([*words, *sources], cwd=ROOT, capture_output=True, text=True, check=True)
    catalogue = polib.pofile(done.stdout)
    for entry in catalogue:
        entry.occurrences = [(path.removeprefix(f"{folder}/"), line) for path, line in entry.occurrences]
    return catalogue


def rewritten(template: Path, folder: Path) -> str:
    """A template as calls of gettext, which is what `makemessages` hands to xgettext too."""
    name = str(template.relative_to(ROOT))
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(templatize(template.read_text(), origin=name))
    return str(target)


def key(entry: polib.POEntry) -> tuple[str, str]:
    return entry.msgctxt or "", entry.msgid


def where(entry: polib.POEntry) -> str:
    path, line = entry.occurrences[0] if entry.occurrences else ("", "")
    return f"{path}:{line}"
