"""The sample images `berth/hello`, made on the spot from a static busybox and the files in samples/hello."""

import platform
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launcher.commands import find, run
from launcher.engine_api import EngineClient, EngineError
from launcher.image_archive import Entry, Image, Layer, archive, pack
from launcher.paths import ROOT
from launcher.problems import Problem

SOURCE = ROOT / "samples" / "hello"
NAME = "berth/hello"
NOBODY = "65534:65534"
PORT = "8080/tcp"
SECOND = 10**9
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
HEALTH: dict[str, Any] = {
    # busybox's own wget -T crashes in Debian 12's build, hence timeout
    "Test": ["CMD-SHELL", "timeout 3 wget -q -O /dev/null http://127.0.0.1:8080/healthz"],
    "Interval": 2 * SECOND,
    "Timeout": 4 * SECOND,
    "Retries": 3,
    "StartPeriod": 5 * SECOND,
}
VARIANTS = {
    "1": ("1", "#1d4ed8", "well", "Says hello: one page, one log line per request."),
    "2": ("2", "#047857", "well", "Says hello in another colour, to see a new version arrive."),
    "unhealthy": ("3", "#b45309", "unhealthy", "Starts, but never passes its health check."),
    "crash": ("4", "#b91c1c", "crash", "Ends with exit code 1 shortly after its start."),
}
REFERENCES = [f"{NAME}:{tag}" for tag in VARIANTS]


def ensure(url: str) -> list[str]:
    """Load those sample images the engine at `url` lacks; gives back the references loaded now."""
    client = EngineClient(url, timeout_seconds=60)
    lacking = [image for image in images() if present_id(client, image.references[0]) != image.id]
    if lacking:
        said = client.call("POST", "/images/load?quiet=1", body=archive(lacking))
        if "error" in str(said):
            raise Problem(f"The engine did not take the sample images: {said}")
    return [image.references[0] for image in lacking]


def present_id(client: EngineClient, reference: str) -> str:
    """The id the engine knows a reference by; empty if it does not know it."""
    try:
        return str(client.call("GET", f"/images/{reference}/json")["Id"])
    except EngineError:
        return ""


def images() -> list[Image]:
    """All sample images; the first layer, busybox, is common to them."""
    layers = (tools(static_busybox()), content())
    return [variant(tag, layers=layers) for tag in VARIANTS]


def facts() -> dict[str, dict[str, Any]]:
    """By reference: what the images say of themselves, for clusters that cannot look into one."""
    check = {
        "command": ["/bin/sh", "-c", HEALTH["Test"][1]],
        "interval_seconds": HEALTH["Interval"] / SECOND,
        "timeout_seconds": HEALTH["Timeout"] / SECOND,
        "retries": HEALTH["Retries"],
        "start_period_seconds": HEALTH["StartPeriod"] / SECOND,
    }
    same = {"ports": [PORT], "health": check, "user": NOBODY}
    return {f"{NAME}:{tag}": same | {"labels": labels(tag)} for tag in VARIANTS}


def labels(tag: str) -> dict[str, str]:
    return {
        "org.opencontainers.image.title": "hello",
        "org.opencontainers.image.version": tag,
        "org.opencontainers.image.description": VARIANTS[tag][-1],
        "org.opencontainers.image.licenses": "Apache-2.0 AND GPL-2.0-only",
    }


def variant(tag: str, *, layers: tuple[Layer, ...]) -> Image:
    version, colour, mood, _description = VARIANTS[tag]
    config = {
        "Cmd": ["/bin/sh", "/usr/share/hello/serve.sh"],
        "Env": [
            "PATH=/bin:/usr/bin:/sbin",
            f"HELLO_VERSION={version}",
            f"HELLO_COLOUR={colour}",
            f"HELLO_MOOD={mood}",
        ],
        "ExposedPorts": {PORT: {}},
        "Healthcheck": HEALTH,
        "Labels": labels(tag),
        "User": NOBODY,
        "WorkingDir": "/",
    }
    history = ("busybox, static, with its applets", f"samples/hello as version {version}")
    return Image((f"{NAME}:{tag}",), layers, config, machine(), history)


def machine() -> str:
    """This machine's architecture in the engine's words."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def tools(busybox: Path) -> Layer:
    """The layer with busybox under all its names."""
    applets = [name for name in run([str(busybox), "--list"]).split() if name not in {"busybox", "["}]
    folders = [Entry(path) for path in ("bin", "etc", "usr", "usr/bin", "usr/share")]
    links = [Entry(f"bin/{name}", link="busybox", mode=0o777) for name in sorted(applets)]
    files = [
        Entry("tmp", mode=0o1777),
        Entry("bin/busybox", data=busybox.read_bytes()),
        Entry("bin/[", link="busybox", mode=0o777),
        Entry(
            "etc/passwd",
            data=b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
            mode=0o644,
        ),
        Entry("etc/group", data=b"root:x:0:\nnogroup:x:65534:\n", mode=0o644),
    ]
    return pack([*folders, *files, *links])


def content() -> Layer:
    """The layer with our own files."""
    files = sorted(path for path in SOURCE.iterdir() if path.is_file())
    entries = [Entry(f"usr/share/hello/{path.name}", data=path.read_bytes(), mode=0o644) for path in files]
    return pack([Entry("usr"), Entry("usr/share"), Entry("usr/share/hello"), *entries])


def static_busybox() -> Path:
    """A busybox that needs no libraries; raises `Problem` if this machine has none."""
    found = find("busybox")
    if found and is_static(Path(found).read_bytes()):
        return Path(found)
    raise Problem(
        "The sample images need a static busybox, which this machine lacks.",
        hint="Install with: apt-get install -y busybox-static",
    )


def is_static(program: bytes) -> bool:
    """Whether a 64-bit ELF program asks for no interpreter, that is, no shared libraries."""
    if program[:5] != b"\x7fELF\x02":
        return False
    (table,) = struct.unpack_from("<Q", program, 0x20)
    size, count = struct.unpack_from("<HH", program, 0x36)
    kinds: Sequence[int] = [struct.unpack_from("<I", program, table + size * n)[0] for n in range(count)]
    return 3 not in kinds
