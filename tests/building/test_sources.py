"""Sources that came in are gone through by a child before any builder sees them; the hostile ones get no further."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from images.building import preparing
from images.building.problems import BuildProblem
from tests.building.conftest import tar, zipped

RECIPE = "FROM scratch\n"
Made = Callable[[], bytes]


def gone_through(data: bytes, tmp_path: Path, recipe: str = "Dockerfile") -> dict[str, tarfile.TarInfo]:
    """What the builder would get."""
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as file, (tmp_path / "out").open("w+b") as target:
        assert preparing._gone_through(file, target, recipe)["recipe"] == RECIPE
    with tarfile.open(tmp_path / "out") as archive:
        return {one.name: one for one in archive.getmembers()}


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"", **more: Any) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        first = tarfile.TarInfo("Dockerfile")
        first.size = len(RECIPE)
        archive.addfile(first, io.BytesIO(RECIPE.encode()))
        header = tarfile.TarInfo(name)
        header.type, header.linkname, header.size = kind, link, len(data)
        for key, value in more.items():
            setattr(header, key, value)
        archive.addfile(header, io.BytesIO(data))
    return made.getvalue()


@pytest.mark.parametrize("make", [lambda files: tar(files), lambda files: tar(files, packed=False), zipped])
def test_each_kind_is_written_anew(make: Callable[[dict[str, str]], bytes], tmp_path: Path) -> None:
    files = {
        "Dockerfile": RECIPE, ".dockerignore": "# what\n*.log\nsecret/\n!keep.log\n/top\n**/deep\n", "a.log": "x",
        "keep.log": "x", "secret/key": "x", "src/main.py": "x", "src/deep/x": "x", "src/top": "x", "top": "x",
    }  # fmt: skip
    found = gone_through(make(files), tmp_path)
    assert set(found) == {"Dockerfile", "keep.log", "src/main.py", "src/top"}
    assert all(one.uid == 0 and not one.mode & 0o7000 for one in found.values())


def test_links_and_folders_stay_as_they_are(tmp_path: Path) -> None:
    assert gone_through(entry("a/link", tarfile.SYMTYPE, "../Dockerfile"), tmp_path)["a/link"].issym()
    assert gone_through(entry("hard", tarfile.LNKTYPE, "Dockerfile"), tmp_path)["hard"].islnk()
    assert gone_through(entry("folder", tarfile.DIRTYPE, mode=0o4755), tmp_path)["folder"].mode == 0o755


def locked() -> bytes:
    data = bytearray(zipped({"Dockerfile": RECIPE, "x": "y"}))
    for at in range(len(data)):
        if data[at : at + 4] == b"PK\x01\x02":
            data[at + 8] |= 1
    return bytes(data)


def zip_with_device() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("Dockerfile", RECIPE)
        device = zipfile.ZipInfo("device")
        device.external_attr = 0o020666 << 16
        archive.writestr(device, b"")
    return made.getvalue()


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: entry("../out"), "source_path"),
        (lambda: entry("/etc/passwd"), "source_path"),
        (lambda: entry("a/../../out"), "source_path"),
        (lambda: entry("link", tarfile.SYMTYPE, "/etc/passwd"), "source_path"),
        (lambda: entry("a/link", tarfile.SYMTYPE, "../../x"), "source_path"),
        (lambda: entry("hard", tarfile.LNKTYPE, "../x"), "source_path"),
        (lambda: entry("hard", tarfile.LNKTYPE, "later"), "source_path"),
        (lambda: entry("device", tarfile.CHRTYPE), "source_kind"),
        (lambda: entry("pipe", tarfile.FIFOTYPE), "source_kind"),
        (lambda: entry("Dockerfile"), "source_twice"),
        (lambda: entry("./Dockerfile"), "source_twice"),
        (lambda: entry(".berth-recipe"), "source_twice"),
        (lambda: entry("x" * 1200), "source_name"),
        (lambda: tar({"other": "x"}), "source_no_recipe"),
        (lambda: tar({"Dockerfile": "x" * 300_000}), "source_large_text"),
        (lambda: tar({"Dockerfile": b"\xff\xfe"}), "source_large_text"),
        (lambda: tar({"Dockerfile": RECIPE, "zero": b"\0" * (130 * 2**20)}), "source_ratio"),
        (lambda: tar({"Dockerfile": RECIPE, **{str(at): "" for at in range(300)}}), "source_many"),
        (lambda: tar({"Dockerfile": RECIPE})[:60], "source_unreadable"),
        (lambda: b"\xfd7zXZ" + b"x" * 100, "source_packed"),
        (lambda: b"nothing of the kind" * 100, "source_unreadable"),
        (lambda: zipped({"Dockerfile": RECIPE, "../out": "x"}), "source_path"),
        (lambda: zipped({"Dockerfile": RECIPE, "large": "0" * 300 * 2**20}), "source_large"),
        (locked, "source_locked"),
        (zip_with_device, "source_kind"),
    ],
)
def test_hostile_ones_get_no_further(make: Made, code: str, tmp_path: Path, settings: Any) -> None:
    settings.BUILDS = settings.BUILDS | {"files": 200, "unpacked_bytes": 200 * 2**20}
    with pytest.raises(BuildProblem) as refused:
        gone_through(make(), tmp_path)
    assert refused.value.code == code, refused.value.params
