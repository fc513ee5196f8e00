"""Images made to break whoever reads them: each ends in a sentence and a next step, within its limits."""

import gzip
import io
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import Invalid
from images.scanning import looking
from images.scanning.limits import MIB, Limits
from images.scanning.looking import look_through
from tests.scanning.conftest import Look
from tests.scanning.images import DEBIAN, FOLDER, Link, Made, deb, digest, layer, rpm_header, write
from tests.scanning.test_packages import jar, rpm_database

STATUS = "var/lib/dpkg/status"


def refused(archive: Path, *, limits: Limits | None = None, **asked: Any) -> tuple[str, str]:
    """The code and sentence of the refusal; every one has a next step."""
    with pytest.raises(Invalid) as error:
        look_through(archive, limits=limits, **asked)
    assert str(error.value.hint)
    assert "%(" not in str(error.value.message)
    return error.value.extra["reason"], str(error.value.message)


def bomb(size: int) -> bytes:
    """A layer that holds one file of zeros, packed."""
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=9, mtime=0) as packed:
        info = tarfile.TarInfo("zeros")
        info.size = size
        packed.write(info.tobuf())
        for _part in range(size // MIB):
            packed.write(b"\0" * MIB)
        packed.write(b"\0" * 1024)
    return made.getvalue()


def test_a_bomb_ends_at_its_ratio(tmp_path: Path) -> None:
    code, said = refused(Made([bomb(256 * MIB)], diff_ids=["sha256:x"]).docker(tmp_path))
    assert code == "layer_bomb"
    assert "Layer 1" in said


def test_all_layers_together_end_at_their_size(tmp_path: Path) -> None:
    laid = [layer({f"f{number}": os.urandom(MIB)}) for number in range(4)]
    code, said = refused(Made(laid).docker(tmp_path), limits=Limits(unpacked_bytes=3 * MIB))
    assert (code, "layer 3" in said) == ("too_large", True)


def test_too_many_files_end_it(tmp_path: Path) -> None:
    many = layer((f"d/{number}", "") for number in range(2000))
    assert refused(Made([many]).docker(tmp_path), limits=Limits(files=1000))[0] == "too_many_files"


def test_too_many_layers_end_it(tmp_path: Path) -> None:
    assert refused(Made([layer({"a": "b"})] * 300).docker(tmp_path))[0] == "too_many_layers"


@pytest.mark.parametrize("name", ["../etc/passwd", "a/../../b", "/../x", "./../../var/lib/dpkg/status"])
def test_paths_that_lead_out_end_it_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    made = Made([layer({"ok": "1"}), layer({name: "out"})])
    code, said = refused(made.docker(tmp_path))
    assert (code, "Layer 2" in said) == ("layer_path", True)
    assert [path.name for path in tmp_path.iterdir()] == ["image.tar"]


def test_absolute_and_dotted_paths_are_those_below_the_root(look: Look) -> None:
    found = look({"/" + STATUS: deb("bash", "5")}, {"./" + STATUS: deb("bash", "6")})
    assert [one["version"] for one in found["packages"]] == ["6"]


def test_links_are_never_followed_out_of_the_image(look: Look, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text(deb("outside", "1"))
    found = look({STATUS: Link(str(outside)), "etc/os-release": Link("/etc/os-release")})
    assert found["packages"] == []
    assert found["system"] == {}


def test_links_in_a_circle_inside_a_layer_do_nothing(look: Look) -> None:
    loops = {"a": Link("b"), "b": Link("a"), "c": Link("c", hard=True), "d": Link("e", hard=True), "x": Link("x/x/x")}
    assert look(loops)["packages"] == []


def test_links_in_a_circle_in_the_archive_end_it(tmp_path: Path) -> None:
    made = Made(
        [layer({"a": "b"})], links={"0/layer.tar": Link("../1/layer.tar"), "1/layer.tar": Link("../0/layer.tar")}
    )
    assert refused(made.docker(tmp_path))[0] == "archive_link_loop"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd", "missing"])
def test_links_of_the_archive_stay_in_it(tmp_path: Path, target: str) -> None:
    made = Made([layer({"a": "b"})], links={"0/layer.tar": Link(target)})
    assert refused(made.docker(tmp_path))[0] == "archive_missing"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.98])
def test_a_layer_that_ends_too_early(tmp_path: Path, packed: bool, share: float) -> None:
    whole = layer({STATUS: deb("bash", "5") * 1000, "noise": os.urandom(50_000)})
    laid = gzip.compress(whole) if packed else whole
    made = Made([laid[: int(len(laid) * share)]], diff_ids=[digest(whole)])
    code, said = refused(made.docker(tmp_path))
    assert code in {"layer_ends", "layer_broken", "layer_digest"}
    assert "Layer 1" in said


def test_a_layer_whose_rest_hides_behind_a_damaged_header(tmp_path: Path) -> None:
    whole = bytearray(layer([("first", "x"), (STATUS, deb("bash", "5"))]))
    whole[1024 + 148 : 1024 + 154] = b"999999"  # the second header's checksum
    assert refused(Made([bytes(whole)]).docker(tmp_path))[0] == "layer_broken"


def test_a_layer_that_is_not_the_one_named(tmp_path: Path) -> None:
    made = Made([layer({"a": "b"})], diff_ids=["sha256:" + "0" * 64])
    assert refused(made.docker(tmp_path))[0] == "layer_digest"


def test_a_configuration_that_is_not_the_one_named(tmp_path: Path) -> None:
    made = Made([layer({"a": "b"})])
    raw = made.oci(tmp_path).read_bytes()
    (tmp_path / "forged.tar").write_bytes(
        raw.replace(b'"architecture": "amd64", "config"', b'"architecture": "arm64", "config"')
    )
    assert refused(tmp_path / "forged.tar")[0] == "archive_digest"


@pytest.mark.parametrize(("start", "name"), [(b"BZh9", "bzip2"), (b"\xfd7zXZ\0", "xz")])
def test_layers_packed_otherwise_are_named(tmp_path: Path, start: bytes, name: str) -> None:
    code, said = refused(Made([start + b"x" * 100], diff_ids=["sha256:x"]).docker(tmp_path))
    assert (code, name in said) == ("layer_packing", True)


def documents(**files: object) -> dict[str, bytes]:
    return {
        name.replace("__", "."): value if isinstance(value, bytes) else json.dumps(value).encode()
        for name, value in files.items()
    }


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (documents(other=b"x"), "archive_no_image"),
        (documents(manifest__json=b"{"), "document_broken"),
        (documents(manifest__json={}), "document_broken"),
        (documents(manifest__json=[]), "archive_no_image"),
        (documents(manifest__json=[1]), "document_broken"),
        (documents(manifest__json=[{"Config": 5, "Layers": []}]), "document_broken"),
        (documents(manifest__json=[{"Config": "c", "Layers": []}]), "archive_missing"),
        (documents(manifest__json=[{"Config": "c", "Layers": ["x"]}], c={"rootfs": None}), "archive_layers_differ"),
        (
            documents(manifest__json=[{"Config": "c", "Layers": ["x"]}], c={"rootfs": {"diff_ids": ["sha256:1"]}}),
            "archive_missing",
        ),
        (documents(manifest__json=b"[" * 100_000), "document_broken"),
        (documents(manifest__json=b" " * (9 * MIB)), "document_too_large"),
        (documents(index__json={"manifests": [{"digest": "sha256:../../x"}]}), "archive_missing"),
        (documents(index__json={"manifests": [{"digest": "sha512:" + "0" * 64}]}), "archive_missing"),
    ],
)
def test_archives_that_are_not_what_they_have_to_be(tmp_path: Path, files: dict[str, bytes], code: str) -> None:
    assert refused(write(tmp_path / "x.tar", files, {}))[0] == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "archive_unreadable"),
        (b"not a tar file at all" * 100, "archive_unreadable"),
        (gzip.compress(b"x" * 5000), "archive_packed"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 600, "archive_packed"),
    ],
    ids=["empty", "text", "gzip", "zstd"],
)
def test_files_that_are_no_archives(tmp_path: Path, raw: bytes, code: str) -> None:
    (tmp_path / "x.tar").write_bytes(raw)
    assert refused(tmp_path / "x.tar")[0] == code


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.tar")[0] == "archive_not_there"


def test_an_archive_that_leads_back_to_its_start_ends(tmp_path: Path) -> None:
    """A size below zero, in the form for sizes that eight digits cannot hold."""
    info = tarfile.TarInfo("a")
    head = bytearray(info.tobuf())
    head[124:136] = b"\xff" + (256**11 - 1024).to_bytes(11, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    (tmp_path / "x.tar").write_bytes(bytes(head) + b"\0" * 4096)
    assert refused(tmp_path / "x.tar", limits=Limits(cpu_seconds=20))[0] == "archive_unreadable"


def test_an_image_among_several_has_to_be_named(tmp_path: Path) -> None:
    first, second = Made([layer({STATUS: deb("one", "1")})]), Made([layer({STATUS: deb("two", "1")})])
    entries, files = [], {}
    for number, made in enumerate((first, second)):
        files |= {f"c{number}": made.config, f"l{number}": made.layers[0]}
        entries.append({"Config": f"c{number}", "RepoTags": [f"shop:{number}"], "Layers": [f"l{number}"]})
    archive = write(tmp_path / "x.tar", files | {"manifest.json": json.dumps(entries).encode()}, {})
    code, said = refused(archive)
    assert (code, "shop:0, shop:1" in said) == ("archive_many_images", True)
    assert refused(archive, name="shop:9")[0] == "archive_no_such_image"
    assert [one["name"] for one in look_through(archive, name="shop:1")["packages"]] == ["two"]


def test_a_status_of_a_million_lines_is_read(look: Look) -> None:
    text = deb("bash", "5") + "Package: x\nDescription: y\n" + " line\n" * 1_000_000 + "\n" + deb("zsh", "5")
    assert [one["name"] for one in look({STATUS: text})["packages"]] == ["bash", "zsh"]


def test_a_list_over_its_limits_is_told_and_not_taken_for_empty(look: Look) -> None:
    many = "".join(deb(f"p{number}", "1") for number in range(200))
    for limits in (Limits(packages=100), Limits(list_bytes=1000)):
        found = look({STATUS: many}, limits=limits)
        assert [note["code"] for note in found["notes"]] == ["list_too_long"]
    laid = [{f"srv/{n}/node_modules/{n}/package.json": json.dumps({"name": str(n), "version": "1"})} for n in range(9)]
    with pytest.raises(Invalid) as error:
        look(*laid, limits=Limits(packages=5))
    assert error.value.extra["reason"] == "too_many_packages"


DEEP = b'{"a":' * 100_000
NASTY: dict[str, bytes] = {
    "srv/node_modules/a/package.json": DEEP,
    "srv/node_modules/b/package.json": b'{"name": 5, "version": []}',
    "srv/node_modules/c/package.json": b"\xff\xfe\0",
    "a.dist-info/METADATA": b"Name: \0\x1b[31m\nVersion: " + b"9" * 100_000 + b"\n",
    "var/lib/dpkg/status.d/x": b"Package: \xff\n" + b":" * 10_000,
    "lib/apk/db/installed": b"P:\nV:\n\nP\n:\n" * 100,
    "etc/os-release": b"ID='unclosed\nVERSION_ID=$(reboot)\n",
    "app.jar": b"PK\x05\x06" + b"\xff" * 18,
    "b.jar": b"not a zip",
    "usr/share/doc/x/copyright": b"License: " + b"x" * 300_000,
}


def test_files_full_of_nonsense_harm_nothing(look: Look) -> None:
    found = look({**NASTY, STATUS: deb("bash", "5")})
    assert "bash" in [one["name"] for one in found["packages"]]
    assert {note["path"] for note in found["notes"]} == {
        "srv/node_modules/a/package.json",
        "srv/node_modules/c/package.json",
        "app.jar",
        "b.jar",
    }
    assert all(len(one["name"]) <= 300 and one["name"].isprintable() for one in found["packages"])


def view_for_ever() -> bytes:
    """A database whose list is a question without an end."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (blob)")
    connection.execute("INSERT INTO Packages VALUES (x'00')")
    connection.execute("PRAGMA writable_schema = ON")
    endless = (
        "CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT x'00' UNION ALL SELECT blob FROM n) SELECT * FROM n"
    )
    connection.execute("UPDATE sqlite_master SET type = 'view', rootpage = 0, sql = ?", (endless,))
    connection.commit()
    return bytes(connection.serialize())


def lying_header(count: int, size: int) -> bytes:
    return struct.pack(">II", count, size) + struct.pack(">IIII", 1000, 6, 2**31, 2**31) * 3


@pytest.mark.parametrize(
    "database",
    [
        b"SQLite format 3\0" + os.urandom(4000),
        b"nothing",
        view_for_ever(),
        rpm_database([lying_header(2**31, 2**31)]),
        rpm_database([b"", b"\0"]),
        rpm_database([rpm_header({1000: "a", 1001: "1", 1002: "1"})])[:5000],
    ],
    ids=["noise", "text", "view", "lying", "empty", "cut"],
)
def test_databases_that_lie_are_told(look: Look, database: bytes) -> None:
    found = look({"var/lib/rpm/rpmdb.sqlite": database})
    assert [note["code"] for note in found["notes"]] == ["list_damaged"]


def test_archives_in_archives_end_somewhere(look: Look) -> None:
    inner = jar({"a": b""})
    for _depth in range(8):
        inner = jar({"x.jar": inner})
    assert [note["code"] for note in look({"app.jar": inner})["notes"]] == ["list_too_deep"]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/maven/a/b/pom.properties", b"#" * (200 * MIB))
    assert [note["code"] for note in look({"app.jar": made.getvalue()})["notes"]] == ["list_too_long"]


def test_a_child_that_takes_too_much_memory_is_told(tmp_path: Path) -> None:
    """A header says of itself that it is 900 MiB long."""
    long_name = layer({"etc/os-release": DEBIAN})
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 900 * MIB
    packed = gzip.compress(info.tobuf()[:512] + b"\0" * (900 * MIB) + long_name, compresslevel=1)
    limits = Limits(memory_bytes=300 * MIB, ratio=10_000)
    assert refused(Made([packed], diff_ids=["sha256:x"]).docker(tmp_path), limits=limits)[0] == "out_of_memory"


def test_a_child_that_computes_for_too_long_is_told(tmp_path: Path) -> None:
    packed = bomb(3 * 1024 * MIB)
    limits = Limits(cpu_seconds=1, ratio=10_000)
    assert refused(Made([packed], diff_ids=["sha256:x"]).docker(tmp_path), limits=limits)[0] == "out_of_cpu"


def test_a_child_that_takes_too_long_is_ended_and_told(tmp_path: Path) -> None:
    limits = Limits(wall_seconds=0)
    assert refused(Made([layer({"a": "b"})]).docker(tmp_path), limits=limits)[0] == "out_of_time"


def test_a_report_over_its_size_is_told(tmp_path: Path) -> None:
    status = "".join(deb(f"package-{number}", "1") for number in range(5000))
    limits = Limits(answer_bytes=10_000)
    assert refused(Made([layer({STATUS: status})]).docker(tmp_path), limits=limits)[0] == "too_much_said"


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import os; os.system('true')",
        "open('scan-was-here', 'w')",
        "import ctypes; ctypes.CDLL(None)",
    ],
)
def test_the_child_has_no_network_no_programs_and_no_files(deed: str) -> None:
    program = f"from images.scanning.child import confine, Limits\nconfine(Limits())\n{deed}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=looking.settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert "PermissionError" in done.stderr
    assert not (looking.settings.BASE_DIR / "scan-was-here").exists()


def test_the_child_gets_no_secret_of_the_portal(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    begin = looking.subprocess.Popen

    def note(*words: Any, **given: Any) -> Any:
        seen.update(given["env"])
        return begin(*words, **given)

    monkeypatch.setattr(looking.subprocess, "Popen", note)
    assert look({"a": FOLDER})["packages"] == []
    assert set(seen) == {"LANG"}
