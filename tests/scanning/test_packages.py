"""Every kind of package is found in an image, with the layer that brought it."""

import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest

from images.scanning.looking import look_through
from tests.scanning.conftest import Look
from tests.scanning.images import ALPINE, DEBIAN, ROCKY, File, Link, Made, deb, go_program, layer, rpm_header

STATUS = "var/lib/dpkg/status"


def told(found: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    return [(one["name"], one.get("version", "")) for one in found["packages"] if one["kind"] == kind]


def one(found: dict[str, Any], name: str) -> dict[str, Any]:
    package: dict[str, Any] = next(each for each in found["packages"] if each["name"] == name)
    return package


def test_debian_names_installed_packages_with_source_and_licence(look: Look) -> None:
    status = deb("libssl3", "3.0.11-1~deb12u2", source="openssl (3.0.11-1)")
    status += deb("bash", "5.2.15-2+b2", source="bash") + deb("gone", "1", state="deinstall ok config-files")
    copyright_text = "Format: x\n\nFiles: *\nLicense: Apache-2.0\n\nFiles: b\nLicense: Apache-2.0\n\nLicense: BSD-3\n"
    found = look({"etc/os-release": DEBIAN, STATUS: status, "usr/share/doc/libssl3/copyright": copyright_text})
    assert told(found, "deb") == [("bash", "5.2.15-2+b2"), ("libssl3", "3.0.11-1~deb12u2")]
    package = one(found, "libssl3")
    assert (package["source"], package["source_version"]) == ("openssl", "3.0.11-1")
    assert package["licence"] == "Apache-2.0, BSD-3"
    assert found["system"]["id"] == "debian"
    assert found["notes"] == []


def test_one_file_for_each_package_counts_without_a_word_about_its_state(look: Look) -> None:
    entry = "Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n"
    found = look({"var/lib/dpkg/status.d/tzdata": entry, "var/lib/dpkg/status.d/tzdata.md5sums": "abc  usr/x\n"})
    assert told(found, "deb") == [("tzdata", "2024a-0+deb12u1")]


def test_alpine_goes_by_origin_and_owns_its_python_packages(look: Look) -> None:
    installed = (
        "P:libcrypto3\nV:3.3.1-r0\nA:x86_64\nL:Apache-2.0\no:openssl\n\n"
        "P:py3-six\nV:1.16.0-r9\no:py3-six\nF:usr/lib/python3.12/site-packages/six-1.16.0.dist-info\nR:METADATA\n\n"
    )
    folder = "usr/lib/python3.12/site-packages"
    found = look(
        {
            "etc/os-release": ALPINE,
            "lib/apk/db/installed": installed,
            f"{folder}/six-1.16.0.dist-info/METADATA": "Name: six\nVersion: 1.16.0\n\n",
            f"{folder}/flask-3.0.dist-info/METADATA": "Name: Flask\nVersion: 3.0\n\n",
        }
    )
    assert told(found, "apk") == [("libcrypto3", "3.3.1-r0"), ("py3-six", "1.16.0-r9")]
    assert one(found, "libcrypto3")["source"] == "openssl"
    assert one(found, "six")["standing"] == "system"
    assert "standing" not in one(found, "flask")


def rpm_database(headers: list[bytes], *, wal: bool = False) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header,) for header in headers])
    connection.commit()
    raw = bytes(connection.serialize())
    return raw[:18] + b"\2\2" + raw[20:] if wal else raw


def test_rpm_reads_its_database_with_epochs_and_source_names(look: Look) -> None:
    headers = [
        rpm_header({1000: "dbus-libs", 1001: "1.12.20", 1002: "8.el9", 1003: 1, 1014: "GPLv2+", 1022: "x86_64"}),
        rpm_header({1000: "glibc-common", 1001: "2.34", 1002: "100.el9", 1044: "glibc-2.34-100.el9.src.rpm"}),
        rpm_header({1000: "gpg-pubkey", 1001: "350d275d", 1002: "6279464b"}),
    ]
    found = look({"etc/os-release": ROCKY, "var/lib/rpm/rpmdb.sqlite": rpm_database(headers, wal=True)})
    assert told(found, "rpm") == [("dbus-libs", "1:1.12.20-8.el9"), ("glibc-common", "2.34-100.el9")]
    assert one(found, "glibc-common")["source"] == "glibc"
    assert one(found, "dbus-libs")["licence"] == "GPLv2+"


@pytest.mark.parametrize(("file", "code"), [("Packages", "rpm_berkeley"), ("Packages.db", "rpm_ndb")])
def test_old_databases_of_rpm_are_told_not_taken_for_empty(look: Look, file: str, code: str) -> None:
    found = look({"etc/os-release": ROCKY, f"var/lib/rpm/{file}": b"anything"})
    assert [note["code"] for note in found["notes"]] == [code]


def test_python_packages_are_named_in_one_way(look: Look) -> None:
    found = look(
        {
            "opt/venv/lib/python3.11/site-packages/Zope.Interface-6.dist-info/METADATA": (
                "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 6.0\nLicense: UNKNOWN\n"
                "Classifier: License :: OSI Approved :: Zope Public License\n\nVersion: 9.9\n"
            ),
            "srv/old.egg-info/PKG-INFO": "Name: old_one\nVersion: 1.0\nLicense: MIT\n",
        }
    )
    assert told(found, "pypi") == [("old-one", "1.0"), ("zope-interface", "6.0")]
    assert one(found, "zope-interface")["licence"] == "Zope Public License"


def test_python_packages_of_debian_are_its_own_matter(look: Look) -> None:
    about = "usr/lib/python3/dist-packages/yaml.egg-info"
    found = look({STATUS: deb("python3-yaml", "6.0-3"), about: "Name: PyYAML\nVersion: 6.0\n"})
    assert one(found, "pyyaml")["standing"] == "system"


def test_npm_packages_with_and_without_a_scope(look: Look) -> None:
    found = look(
        {
            "srv/node_modules/lodash/package.json": json.dumps({"name": "lodash", "version": "4.17.20"}),
            "srv/node_modules/@a/b/package.json": json.dumps(
                {"name": "@a/b", "version": "1.0.0", "licenses": [{"type": "MIT"}, {"type": "ISC"}]}
            ),
            "srv/node_modules/lodash/test/package.json": json.dumps({"name": "inner", "version": "9"}),
            "srv/package.json": json.dumps({"name": "own", "version": "1.0.0"}),
        }
    )
    assert told(found, "npm") == [("@a/b", "1.0.0"), ("lodash", "4.17.20")]
    assert one(found, "@a/b")["licence"] == "MIT OR ISC"


@pytest.mark.parametrize("before", [70_000, 2**20 - 16, 2**20 - 4, 3 * 2**20 + 160])
def test_go_programs_tell_their_modules_wherever_it_stands_in_them(look: Look, before: int) -> None:
    modules = (
        "path\texample.org/shop\nmod\texample.org/shop\t(devel)\t\n"
        "dep\tgolang.org/x/net\tv0.10.0\th1:abc=\n"
        "dep\tgithub.com/a/b\tv1.0.0\n=>\tgithub.com/fork/b\tv1.0.1\th1:def=\nbuild\t-compiler=gc\n"
    )
    found = look({"app": File(go_program("go1.21.4", modules, before=before), 0o755)})
    assert told(found, "golang") == [
        ("example.org/shop", "(devel)"),
        ("github.com/fork/b", "v1.0.1"),
        ("golang.org/x/net", "v0.10.0"),
        ("stdlib", "1.21.4"),
    ]
    assert one(found, "example.org/shop")["standing"] == "own"


def test_a_program_of_an_old_go_is_told(look: Look) -> None:
    program = go_program("go1.17", "").replace(b"inf:\x08\x02", b"inf:\x08\x00")
    assert [note["code"] for note in look({"app": program})["notes"]] == ["go_too_old"]


def jar(entries: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return made.getvalue()


def test_java_archives_tell_of_themselves_and_of_those_in_them(look: Look) -> None:
    text = b"#made\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n"
    inner = jar({"META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties": text})
    outer = jar({"BOOT-INF/lib/log4j-core-2.14.1.jar": inner, "BOOT-INF/lib/guava-31.1-jre.jar": jar({"a": b""})})
    found = look({"app.jar": outer})
    assert told(found, "maven") == [
        ("app", ""),
        ("guava", "31.1-jre"),
        ("org.apache.logging.log4j:log4j-core", "2.14.1"),
    ]
    assert one(found, "guava")["standing"] == "nameless"
    assert one(found, "org.apache.logging.log4j:log4j-core")["path"] == "app.jar!BOOT-INF/lib/log4j-core-2.14.1.jar"


def test_kinds_that_are_not_read_are_counted(look: Look) -> None:
    found = look(
        {
            "usr/local/bundle/specifications/rails-7.0.gemspec": "x",
            "usr/local/bundle/specifications/rack-3.0.gemspec": "x",
            "app/shop.deps.json": "{}",
        }
    )
    assert [(note["kind"], note["count"]) for note in found["notes"]] == [("NuGet", 1), ("RubyGems", 2)]


def test_each_package_is_told_with_the_layer_that_brought_it(look: Look) -> None:
    first = deb("bash", "5.2-1") + deb("curl", "7.88-1")
    second = deb("bash", "5.2-1") + deb("curl", "7.88-2") + deb("git", "2.39-1")
    found = look({STATUS: first}, {"etc/x": "y"}, {STATUS: second}, commands=["base", "RUN x", "RUN apt-get upgrade"])
    assert {one["name"]: one["layer"] for one in found["packages"]} == {"bash": 1, "curl": 3, "git": 3}
    assert [one["command"] for one in found["layers"]] == ["base", "RUN x", "RUN apt-get upgrade"]


SITE = "usr/local/lib/python3.11/site-packages"
METADATA = "Name: django\nVersion: 4.2\n"


@pytest.mark.parametrize(
    ("above", "left"),
    [
        ({f"{SITE}/django.dist-info/.wh.METADATA": ""}, []),
        ({f"{SITE}/.wh.django.dist-info": ""}, []),
        ({"usr/local/.wh.lib": ""}, []),
        ({f"{SITE}/.wh..wh..opq": ""}, []),
        ({".wh..wh..opq": ""}, []),
        ({SITE: "a file where a folder was"}, []),
        ({SITE: Link("/elsewhere")}, []),
        ({f"{SITE}/.wh.djang": ""}, ["django"]),
        ({f"{SITE}/django.dist-info/METADATA": "Name: django\nVersion: 5\n", f"{SITE}/.wh..wh..opq": ""}, ["django"]),
    ],
)
def test_what_a_later_layer_removes_is_not_there(look: Look, above: dict[str, Any], left: list[str]) -> None:
    found = look({f"{SITE}/django.dist-info/METADATA": METADATA}, above)
    assert [one["name"] for one in found["packages"]] == left


def test_hard_links_count_wherever_they_lead(look: Look) -> None:
    cache, used = "root/.cache/uv/x/django.dist-info/METADATA", f"{SITE}/django.dist-info/METADATA"
    found = look({cache: METADATA, used: Link(cache, hard=True)}, {"root/.cache/.wh.uv": ""})
    assert [(one["name"], one["path"]) for one in found["packages"]] == [("django", used)]
    unread = look({"store/00ab": METADATA, used: Link("store/00ab", hard=True)})
    assert [note["code"] for note in unread["notes"]] == ["list_is_link"]


@pytest.mark.parametrize("path", [STATUS, "var/lib/dpkg", "var/lib", "lib/apk/db/installed"])
def test_a_list_that_hides_behind_a_link_is_told(look: Look, path: str) -> None:
    assert [note["code"] for note in look({path: Link("/opt/hidden")})["notes"]] == ["list_is_link"]


def test_both_forms_of_an_archive_tell_the_same(tmp_path: Path) -> None:
    made = Made([layer({"etc/os-release": DEBIAN, STATUS: deb("bash", "5.2-1")})], packed=True)
    docker, oci = look_through(made.docker(tmp_path)), look_through(made.oci(tmp_path))
    assert docker["packages"] == oci["packages"]
    assert docker["names"] == oci["names"] == ["shop/web:1"]
    assert set(docker["digests"]) < set(oci["digests"])
    assert docker["platform"] == "linux/amd64"


def test_layers_that_stand_there_twice_may_be_links(tmp_path: Path) -> None:
    same = layer({STATUS: deb("bash", "5.2-1")})
    made = Made([same, same], links={"1/layer.tar": Link("../0/layer.tar")})
    assert told(look_through(made.docker(tmp_path)), "deb") == [("bash", "5.2-1")]
