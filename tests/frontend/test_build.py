"""What is committed below static/vendor was built from what is committed beside it. Needs no Node."""

import json
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
FOLDERS = ("frontend", "static/css")
FILES = ("package.json", "package-lock.json")
ADVICE = "Run npm ci --ignore-scripts && npm run build, and commit static/vendor."


def hashes(paths: list[Path]) -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def sources() -> list[Path]:
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [*below, *(ROOT / name for name in FILES)]


def test_the_build_is_up_to_date() -> None:
    manifest = json.loads((VENDOR / "MANIFEST.json").read_text(encoding="utf-8"))
    assert manifest["sources"] == hashes(sources()), ADVICE


def test_nobody_edited_what_was_built() -> None:
    manifest = json.loads((VENDOR / "MANIFEST.json").read_text(encoding="utf-8"))
    built = [path for path in VENDOR.rglob("*") if path.is_file() and path.name != "MANIFEST.json"]
    assert manifest["built"] == hashes(built), ADVICE


def test_versions_are_pinned() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert all(version[0].isdigit() for version in package["devDependencies"].values())
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_what_is_shipped_is_named_with_its_licence() -> None:
    notices = (VENDOR / "NOTICES.txt").read_text(encoding="utf-8")
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    for name in ("@tabler/core", "@tabler/icons", "htmx.org"):
        assert f"{name} {package['devDependencies'][name]}" in notices


def test_the_first_page_stays_light() -> None:
    """Style, script and drawings together, before compression; compressed they are about a quarter."""
    assert sum((VENDOR / name).stat().st_size for name in ("berth.css", "berth.js", "icons.svg")) < 260_000
