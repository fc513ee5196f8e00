"""Makes an image and advisories, scans, and prints how long it took, as JSON.

`python -m benchmarks.inside benchmarks.scanned --packages 750 --advisories 30000 --runs 5`
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

from images.scanning.bringing import bring_advisories
from images.scanning.comparing import compare_all
from images.scanning.looking import look_through
from portal.seed import operator_actor

FILES_EACH = 25
BYTES_EACH = 8 * 1024
OWN = Path("/var/lib/dpkg/status")  # what is installed on this machine, where it is a Debian
RELEASE = b'ID=debian\nVERSION_ID="12"\n'


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=int, required=True)
    parser.add_argument("--advisories", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        print(json.dumps(measured(Path(folder), asked)))


def measured(folder: Path, asked: argparse.Namespace) -> dict[str, float]:
    listed = entries(asked.packages)
    advisories = zipped(folder / "all.zip", count=asked.advisories, sources=[source for source, _text in listed])
    began = time.monotonic()
    bring_advisories(operator_actor(), advisories)
    imported = time.monotonic() - began
    archive, files, size = image(folder / "image.tar", listed)
    unpacked = unpacking(archive)
    whole, compared = [], []
    for _run in range(asked.runs):
        began = time.monotonic()
        found = look_through(archive)
        looked = time.monotonic()
        findings = compare_all(found["packages"], found["system"]).findings
        whole.append(time.monotonic() - began)
        compared.append(time.monotonic() - looked)
    numbers = {"import": imported, "files": files, "mebibytes": size // 2**20, "packages": len(found["packages"])}
    times = {"unpack": unpacked, "scan": max(whole), "compare": max(compared)}
    return numbers | times | {"findings": len(findings)}


def entries(count: int) -> list[tuple[str, str]]:
    """So many packages, each as its source and its paragraph of dpkg's list: the machine's own, then made ones."""
    own = OWN.read_text(errors="replace").split("\n\n") if OWN.exists() else []
    told = [(source_of(text), text + "\n\n") for text in own if "Status: install ok installed" in text]
    return (told + [(f"package-{number}", entry(number)) for number in range(count)])[:count]


def source_of(text: str) -> str:
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith(" "))
    return fields.get("Source", fields.get("Package", "")).split(" ")[0]


def zipped(path: Path, *, count: int, sources: list[str]) -> Path:
    """Advisories about Debian's packages; one in five about the image's, one in fifty about a version it has."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(count):
            name = sources[number % len(sources)] if number % 5 == 0 else f"other-{number}"
            fixed = "99:1-1" if number % 50 == 0 else "0:0-1"
            events = [{"introduced": "0"}, {"fixed": fixed}]
            affected = {"package": {"ecosystem": "Debian:12", "name": name}}
            affected |= {"ranges": [{"type": "ECOSYSTEM", "events": events}]}
            cve = f"CVE-2026-{10_000 + number}"
            one = {"id": f"DEBIAN-{cve}", "modified": "2026-11-20T00:00:00Z", "upstream": [cve], "affected": [affected]}
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    return path


def image(path: Path, listed: list[tuple[str, str]]) -> tuple[Path, int, int]:
    """The archive, and how many files of how many bytes are in it."""
    noise = os.urandom(BYTES_EACH // 2).hex().encode()
    packages, status = len(listed), "".join(text for _source, text in listed).encode()
    first: list[tuple[str, bytes]] = [("etc/os-release", RELEASE), ("var/lib/dpkg/status", status)]
    for number in range(packages):
        first.append((f"usr/share/doc/package-{number}/copyright", b"Format: x\n\nFiles: *\nLicense: GPL-2+\n" + noise))
        first += [(f"usr/lib/package-{number}/part-{part}", noise) for part in range(FILES_EACH - 5)]
    second = [(f"srv/app-{number}/part-{part}", noise) for number in range(packages) for part in range(5)]
    layers = [layer(first), layer(second)]
    config = {"rootfs": {"diff_ids": ["sha256:" + hashlib.sha256(one).hexdigest() for one in layers]}}
    manifest = [{"Config": "config", "RepoTags": ["bench:1"], "Layers": ["0", "1"]}]
    files = [(str(at), gzip.compress(one, compresslevel=6)) for at, one in enumerate(layers)]
    files += [("config", json.dumps(config).encode()), ("manifest.json", json.dumps(manifest).encode())]
    path.write_bytes(layer(files))
    return path, len(first) + len(second), sum(map(len, layers))


def entry(number: int) -> str:
    head = f"Package: package-{number}\nStatus: install ok installed\nArchitecture: amd64\n"
    return f"{head}Version: 1.{number}-5\nDescription: text\n" + " more of it\n" * 20 + "\n"


def layer(files: Iterable[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def unpacking(archive: Path) -> float:
    """What it takes to unpack the layers and step over their files, and do nothing with them."""
    began = time.monotonic()
    with tarfile.open(archive) as outer:
        for name in ("0", "1"):
            file = outer.extractfile(name)
            if file is not None:
                with tarfile.open(fileobj=file, mode="r|gz") as inner:
                    for _member in inner:
                        pass
    return time.monotonic() - began


if __name__ == "__main__":
    main()
