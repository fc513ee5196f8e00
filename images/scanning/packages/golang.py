"""Modules of Go, which its linker writes into every program."""

import re
from collections.abc import Iterator
from typing import IO

from images.scanning.packages.package import Package, Unread

ELF = b"\x7fELF"
MAGIC = b"\xff Go buildinf:"
ALIGNED = 16
HEADER = 32
INLINE = 2  # texts follow the header; before Go 1.18 it held addresses instead
FRAME = 16  # what stands around the list of modules
CHUNK = 2**20
BEFORE_RELEASE = re.compile(r"(\d+\.\d+)(rc|beta)(\d+)\Z")
MOST = 2 * 2**20


def build_info(file: IO[bytes]) -> bytes | None:
    """What follows the mark, from a program that is read only once and forwards; None where there is none."""
    kept, offset = file.read(len(ELF)), 0
    if kept != ELF:
        return None
    kept += file.read(CHUNK)
    while True:
        at = kept.find(MAGIC)
        while at >= 0 and (offset + at) % ALIGNED:
            at = kept.find(MAGIC, at + 1)
        if at >= 0:
            found = kept[at:]
            while len(found) < MOST and (more := file.read(CHUNK)):
                found += more
            return found[:MOST]
        more = file.read(CHUNK)
        if not more:
            return None
        tail = kept[-HEADER:]
        offset += len(kept) - len(tail)
        kept = tail + more


def packages(info: bytes, path: str) -> Iterator[Package]:
    if len(info) < HEADER or not info[15] & INLINE:
        raise Unread("go_too_old")
    version, at = _text(info, HEADER)
    modules, _at = _text(info, at)
    if not version.startswith(b"go"):
        raise Unread("go_unreleased")
    yield Package("golang", "stdlib", _release(version.decode("utf-8", "replace")), path=path)
    inner = modules[FRAME:-FRAME] if len(modules) > 2 * FRAME else b""
    yield from _modules(inner.decode("utf-8", "replace"), path)


def _release(version: str) -> str:
    """`go1.22rc1 X:loopvar` as advisories write it: 1.22.0-rc.1"""
    return BEFORE_RELEASE.sub(r"\1.0-\2.\3", version.removeprefix("go").split(" ")[0])


def _text(info: bytes, at: int) -> tuple[bytes, int]:
    """A text with its length before it, seven bits a byte."""
    length, shift = 0, 0
    while True:
        if at >= len(info) or shift > 28:
            raise Unread("list_damaged")
        byte = info[at]
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    if at + length > len(info):
        raise Unread("list_damaged")
    return info[at : at + length], at + length


def _modules(text: str, path: str) -> Iterator[Package]:
    before: Package | None = None
    for line in text.split("\n"):
        words = line.split("\t")
        if words[0] == "=>" and before is not None and len(words) >= 3:  # built from another module instead
            before = Package("golang", words[1], words[2], path=path)
            continue
        if before is not None:
            yield before
            before = None
        if words[0] in {"mod", "dep"} and len(words) >= 3:
            standing = "own" if words[0] == "mod" else ""
            before = Package("golang", words[1], words[2], path=path, standing=standing)
    if before is not None:
        yield before
