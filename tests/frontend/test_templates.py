"""All templates of the tree: nothing that a strict content policy refuses, no class without a rule."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}|<!--.*?-->", re.S)
TAG = re.compile(r"{[%{].*?[%}]}", re.S)

REFUSED = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "a style element": re.compile(r"<style\b", re.I),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc=)", re.I),
    "an event handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "an htmx handler": re.compile(r"\shx-on[:-]", re.I),
    "a javascript address": re.compile(r"javascript:", re.I),
    "a foreign address that is loaded": re.compile(
        r"<(?:script|link|img|iframe|use)\b[^>]*(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.I
    ),
}


def plain(path: Path) -> str:
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 50


@pytest.mark.parametrize("what", REFUSED)
def test_no_template_has(what: str) -> None:
    found = [str(path.relative_to(ROOT)) for path in TEMPLATES if REFUSED[what].search(TAG.sub("", plain(path)))]
    assert not found, f"{what} in {found}"


def test_nothing_is_marked_safe_in_a_template() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in TEMPLATES
        if re.search(r"\|\s*safe\b|autoescape off|safeseq", plain(path))
    ]
    assert not found


def test_every_class_has_a_rule() -> None:
    css = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "static/vendor").glob("*.css")))
    ruled = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", css))
    used: dict[str, str] = {}
    for path in TEMPLATES:
        # a name that touches a value is only part of a class: "#" keeps it from being read as one
        text = re.sub(r"{%.*?%}", " ", re.sub(r"{{.*?}}", "#", plain(path), flags=re.S), flags=re.S)
        for names in re.findall(r'\bclass="([^"]*)"', text):
            used |= {word: path.name for word in names.split() if "#" not in word}
    missing = {word: name for word, name in used.items() if word not in ruled}
    assert not missing


def test_styles_and_scripts_of_the_build_stay_in_the_house() -> None:
    for name in ("berth.css", "berth.js"):
        text = (ROOT / "static/vendor" / name).read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text
        assert "url(data:" not in text
        assert 'url("data:' not in text
        assert not re.search(r"url\([\"']?(?:https?:)?//", text)
