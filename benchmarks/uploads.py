"""An archive of an image sent to Berth, beside the same file written to the same disk by a plain program."""

import hashlib
import http.client
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.client import Wrong
from benchmarks.deploys import wait_for
from benchmarks.machine import forget_peak, memory_of, processor_seconds
from benchmarks.portal import BASE, Portal
from benchmarks.result import Line, Section

SHARE = 0.8
FLAT_MIB = 32
PIECE = 1024 * 1024
TURNS = 3
END_SECONDS = 600.0


@dataclass(frozen=True)
class Sent:
    """`seconds` until all of it was on the disk, `processor` of the portal meanwhile, `growth` of its memory."""

    seconds: float
    processor: float
    growth: int


def measure(portal: Portal, *, mebibytes: int) -> Section:
    section = Section(
        "Upload",
        f"An archive as `docker save` writes it, with one layer of {mebibytes} MiB that nothing makes smaller: sent in "
        "one request, and beside it written by a program that does nothing else, both to the same disk until it is "
        f"there for good (`fsync`); {TURNS} times each in turn, the best counts. Memory is the portal's resident set, "
        "highest while it comes in less what it was before.",
    )
    with tempfile.TemporaryDirectory(prefix="berth-bench-", dir=portal.state.folder) as folder:
        file = archive(Path(folder) / "archive.tar", mebibytes)
        size = file.stat().st_size
        plain, sent, ended = list[float](), list[Sent](), list[float]()
        for turn in range(TURNS):
            plain.append(written(file, Path(folder) / "copy"))
            key = begun(portal, file.name, size, f"bench-{turn}")
            sent.append(send(portal, key, file))
            ended.append(until_done(portal, key))
    section.lines = lines(size / 2**20, min(plain), sent, ended)
    return section


def lines(mebibytes: float, plain: float, sent: list[Sent], ended: list[float]) -> list[Line]:
    best = min(sent, key=lambda one: one.seconds)
    share, growth = plain / best.seconds, max(one.growth for one in sent)
    return [
        Line(
            f"an archive of {mebibytes:.0f} MiB comes in ({share:.0%} of the disk's rate)",
            f"{mebibytes / best.seconds:.0f} MiB/s",
            f"{mebibytes / plain:.0f} MiB/s",
            f"≥ {SHARE:.0%}",
            share >= SHARE,
            "sender, portal and disk share the cores, and every byte passes Python",
        ),
        Line("of it processor time of the portal", f"{best.processor / mebibytes * 1024:.1f} s for a GiB"),
        Line(
            "growth of memory meanwhile",
            f"{growth / 2**20:.1f} MiB",
            budget=f"flat (≤ {FLAT_MIB} MiB)",
            kept=growth <= FLAT_MIB * 2**20,
            cause="something gathers pieces instead of writing them",
        ),
        Line(
            "looked through and put into the registry after that",
            f"{ended[0]:.1f} s; {min(ended[1:]):.1f} s where its layer lay there already",
        ),
    ]


def archive(path: Path, mebibytes: int) -> Path:
    """Written piece by piece, since it may be larger than memory."""
    layer = hashlib.sha256()
    size = mebibytes * PIECE
    inner = header("data", size)
    with path.open("wb") as file:
        file.write(header("layer.tar", len(inner) + size + 1024))
        for piece in (inner, *noise(mebibytes), bytes(1024)):
            layer.update(piece)
            file.write(piece)
        config = {"os": "linux", "architecture": "amd64", "config": {"Cmd": ["/data"]}}
        config |= {"rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.hexdigest()}"]}}
        listed = [{"Config": "config.json", "RepoTags": ["bench:1"], "Layers": ["layer.tar"]}]
        put(file, "config.json", config)
        put(file, "manifest.json", listed)
        file.write(bytes(1024))
    return path


def noise(mebibytes: int) -> Iterator[bytes]:
    piece = os.urandom(PIECE)
    return (turn.to_bytes(8, "big") + piece[8:] for turn in range(mebibytes))


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf()


def put(file: IO[bytes], name: str, document: Any) -> None:
    text = json.dumps(document).encode()
    file.write(header(name, len(text)) + text + bytes(-len(text) % tarfile.BLOCKSIZE))


def written(file: Path, target: Path) -> float:
    """Seconds that a plain copy takes, until the disk has it."""
    try:
        with file.open("rb", buffering=0) as source, target.open("wb", buffering=0) as opened:
            began = time.perf_counter()
            while piece := source.read(PIECE):
                opened.write(piece)
            os.fsync(opened.fileno())
            return time.perf_counter() - began
    finally:
        target.unlink()


def begun(portal: Portal, name: str, size: int, repository: str) -> str:
    asked = {"file_name": name, "size_bytes": size, "repository": repository}
    return str(portal.client().post(f"{BASE}/uploads", asked, wanted=201).json()["id"])


def send(portal: Portal, key: str, file: Path) -> Sent:
    pid, there = portal.pid, portal.state.folder / "uploads" / f"{key}.upload" / "archive"
    portal.client().get("/api/v1/me")  # what is imported late is imported now
    before, used = memory_of(pid), processor_seconds(pid)
    forget_peak(pid)
    with there.open("rb") as kept:  # opened now: when all of it is there it may be gone soon
        began = time.perf_counter()
        patched(portal, key, file)
        os.fsync(kept.fileno())
        took = time.perf_counter() - began
    return Sent(took, processor_seconds(pid) - used, memory_of(pid, "VmHWM") - before)


def patched(portal: Portal, key: str, file: Path) -> None:
    line = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=END_SECONDS, blocksize=PIECE)
    headers = {
        "Authorization": f"Bearer {portal.token}",
        "Content-Type": "application/octet-stream",
        "Content-Length": str(file.stat().st_size),
        "Upload-Offset": "0",
    }
    try:
        with file.open("rb", buffering=0) as source:
            line.request("PATCH", f"{BASE}/uploads/{key}", body=source, headers=headers)
            answer = line.getresponse()
            told = answer.read()
    finally:
        line.close()
    if answer.status != 204:
        raise Wrong(f"the upload was answered {answer.status}, not 204: {told[:300]!r}")


def until_done(portal: Portal, key: str) -> float:
    """Seconds until the image has a name in the registry."""
    client, began = portal.client(), time.perf_counter()

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"{BASE}/uploads/{key}").json()
        return found

    wait_for(lambda: shown()["state"] not in ("receiving", "working"), "the archive to be put into the registry")
    took = time.perf_counter() - began
    if (found := shown())["state"] != "done":
        raise Wrong(f"the upload ended as {found['state']}: {found['failure']}")
    return took
