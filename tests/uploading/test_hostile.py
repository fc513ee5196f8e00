"""Archives that mean harm, or were made wrong: refused with a reason, and nothing of them stays."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from images.models import Upload
from images.registry import client
from images.scanning.archive import MOST_MEMBERS
from images.uploading import operations as uploading
from launcher.image_archive import Entry, Layer, pack
from operations.models import Operation
from tests.uploading import archives
from tests.uploading.archives import entry, tar_of
from tests.uploading.conftest import Sender, left_behind, newest, work_off

pytestmark = pytest.mark.usefixtures("registry")
MIB = 2**20


def one(name: str = "x", *, data: bytes = b"", **told: Any) -> bytes:
    return tar_of([(entry(name, size=len(data), **told), data)])


def sparse() -> bytes:
    info = entry("x", size=0)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "999"}
    return tar_of([(info, b"")])


def below_zero() -> bytes:
    """A size that leads back to where the header stands."""
    info = entry("x", size=0)
    block = bytearray(info.tobuf())
    block[124:136] = b"\xff" * 11 + b"\x00"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + b"\0" * 2048


def endless_note() -> bytes:
    info = entry("././@LongLink", size=10 * MIB, type=tarfile.GNUTYPE_LONGNAME)
    return info.tobuf(tarfile.GNU_FORMAT) + b"n" * (10 * MIB) + b"\0" * 1024


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "up": (lambda: one("../out"), "upload_entry_path"),
    "up in the middle": (lambda: one("a/../../out"), "upload_entry_path"),
    "absolute": (lambda: one("/etc/passwd"), "upload_entry_path"),
    "backslash": (lambda: one("..\\out"), "upload_entry_path"),
    "link out": (lambda: one("x", type=tarfile.SYMTYPE, linkname="../../etc/passwd"), "upload_entry_path"),
    "absolute link": (lambda: one("x", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "upload_entry_path"),
    "hard link out": (lambda: one("x", type=tarfile.LNKTYPE, linkname="../out"), "upload_entry_path"),
    "device": (lambda: one("sda", type=tarfile.BLKTYPE, devmajor=8), "upload_entry_kind"),
    "terminal": (lambda: one("tty", type=tarfile.CHRTYPE, devmajor=5), "upload_entry_kind"),
    "pipe": (lambda: one("p", type=tarfile.FIFOTYPE), "upload_entry_kind"),
    "holes": (sparse, "upload_entry_kind"),
    "long name": (lambda: one("n/" * 2000), "upload_entry_name"),
    "endless name": (endless_note, "upload_entry_name"),
    "below zero": (below_zero, "archive_unreadable"),
    "no archive": (lambda: b"hello" * 1000, "archive_unreadable"),
    "zip": (lambda: b"PK\x03\x04" + b"x" * 5000, "archive_packed"),
    "zstd": (lambda: b"\x28\xb5\x2f\xfd" + b"x" * 5000, "archive_packed"),
    "cut off": (lambda: one("x", data=b"d" * 4096)[:2048], "archive_unreadable"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_while_it_comes(name: str, sender: Sender) -> None:
    make, reason = HOSTILE[name]
    answer = sender.put(make())
    assert answer.status_code == 422, answer.content
    problem = answer.json()
    assert (problem["code"], problem["reason"]) == ("archive_refused", reason)
    assert problem["detail"]
    assert problem["hint"]
    row = newest()
    assert (row.state, row.failure["code"]) == ("failed", reason)
    assert not Operation.objects.filter(kind=uploading.KIND).exists()
    assert left_behind() == []
    assert sender.shown(row.pk)["failure"]["hint"] == problem["hint"]


def test_a_million_entries_are_refused_long_before_the_last(sender: Sender) -> None:
    blocks = entry("x", size=0).tobuf() * 1_000_000
    upload = sender.begin(blocks).json()["id"]
    at = 0
    while (answer := sender.send(upload, blocks[at : at + 4 * MIB], at=at)).status_code == 204:
        at += 4 * MIB
    assert (answer.json()["reason"], answer.status_code) == ("archive_too_many", 422)
    assert at <= (MOST_MEMBERS + 1) * 512 + 4 * MIB
    assert left_behind() == []


def test_more_than_was_said_is_not_taken(sender: Sender) -> None:
    data = archives.docker("web:1")
    upload = sender.begin(data[:-4096]).json()["id"]
    answer = sender.send(upload, data)
    assert answer.status_code == 413
    assert Upload.objects.get(pk=upload).received_bytes <= len(data) - 4096


def layer_with(*names: str) -> Layer:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return Layer(stream.getvalue())


def saved(layer: Layer) -> bytes:
    return archives.docker_archive([archives.image("bad:1", layers=[layer])])


def doubled() -> bytes:
    stream = io.BytesIO(archives.docker("bad:1"))
    with tarfile.open(fileobj=stream, mode="a") as tar:
        tar.addfile(entry("manifest.json", size=2), io.BytesIO(b"[]"))
    return stream.getvalue()


def two_images() -> bytes:
    return archives.docker_archive([archives.image("one:1"), archives.image("two:1", layers=[pack([Entry("x")])])])


def gzip_bomb() -> bytes:
    """A megabyte that unpacks to a gigabyte of an archive whose one file is nothing but zeros."""
    head = entry("zeros", size=2**30).tobuf()
    return gzip.compress(head + b"\0" * 2**28, compresslevel=9)


def layer_bomb() -> bytes:
    zeros = pack([Entry("zeros", data=b"\0" * (300 * MIB))])
    return archives.packed_docker("bad:1", zeros)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "layer changed": (lambda: archives.layout("bad:1", layer=gzip.compress(b"\0" * 10240)), "layer_digest"),
    "layer is nothing": (lambda: archives.layout("bad:1", layer=b""), "layer_ends"),
    "configuration changed": (lambda: archives.layout("bad:1", config=b"{}"), "archive_digest"),
    "manifest changed": (lambda: archives.layout("bad:1", manifest=b'{"layers": []}'), "archive_digest"),
    "layer leads out": (lambda: saved(layer_with("../../etc/cron.d/x")), "layer_path"),
    "doubled": (doubled, "upload_entry_twice"),
    "two images": (two_images, "archive_many_images"),
    "no image": (lambda: archives.tar([("readme", b"x" * 5000)]), "archive_no_image"),
    "no name": (lambda: archives.layout(""), "upload_no_name"),
    "deep json": (lambda: archives.tar([("manifest.json", b"[" * 100_000)]), "document_broken"),
    "gzip bomb": (gzip_bomb, "upload_unpacks_large"),
    "layer bomb": (layer_bomb, "layer_bomb"),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_when_it_is_looked_through(
    name: str, sender: Sender, django_capture_on_commit_callbacks: Any
) -> None:
    make, reason = BAD[name]
    with django_capture_on_commit_callbacks(execute=True):
        answer = sender.put(make())
        assert answer.status_code == 204, answer.content
        operation = work_off(newest())
    assert (operation.state, operation.failure and operation.failure["code"]) == ("failed", reason)
    shown = sender.shown(newest().pk)
    assert (shown["state"], shown["failure"]["code"]) == ("failed", reason)
    assert shown["failure"]["message"]
    assert shown["failure"]["hint"]
    assert "%(" not in json.dumps(shown["failure"])
    assert left_behind() == []
    assert client.digest_of("acme/shop/bad", "1") == ""


def test_one_of_two_images_can_be_named(sender: Sender, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(two_images(), image="one:1")
        assert work_off(newest()).state == Operation.State.SUCCEEDED
    assert client.digest_of("acme/shop/one", "1") == newest().digest


@pytest.fixture(params=["docker.io/library/web:1", "registry.example:5000/a/b/web@sha256:x", "Bad Name:1"])
def name(request: Any) -> Iterator[str]:
    return request.param


def test_names_of_other_registries_give_only_their_last_part(
    name: str, sender: Sender, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sender.put(archives.docker(name))
        operation = work_off(newest())
    if "Bad" in name:
        assert operation.failure
        assert operation.failure["code"] == "upload_no_name"
    else:
        assert newest().path == "acme/shop/web"
