"""Named volumes and tmpfs; whatever reaches for the host's file system is refused."""

import re
from dataclasses import dataclass
from typing import Annotated

from apps.specification.part import Canonical, canonical
from apps.specification.paths import read_source, read_target, refuse_unknown
from apps.specification.problems import Gathering, fault
from apps.specification.scalars import KI, TI, Read, flag, memory, memory_text

MOST_MOUNTS = 20
DRIVE = re.compile(r"[A-Za-z]:(?:\\|/[^:]*:/)")  # C:\\data, C:/data:/app
TMPFS_SIZE = memory(4 * KI, TI)


@dataclass(frozen=True)
class VolumeUse:
    source: str
    target: str
    read_only: bool = False

    def canonical(self) -> Canonical:
        return canonical(type="volume", source=self.source, target=self.target, read_only=self.read_only or None)


@dataclass(frozen=True)
class Tmpfs:
    """Memory that looks like a folder; `size` in bytes, None for the engine's default."""

    target: str
    size: int | None = None

    def short(self) -> str:
        return self.target if self.size is None else f"{self.target}:size={memory_text(self.size)}"


def read_volumes(value: object) -> tuple[VolumeUse | Tmpfs, ...]:
    """Entries of `volumes`: "name:/path[:ro]" or maps of type volume or tmpfs."""
    if not isinstance(value, list | tuple):
        raise fault("not_a_list")
    if len(value) > MOST_MOUNTS:
        raise fault("too_many", limit=MOST_MOUNTS)
    found: list[VolumeUse | Tmpfs] = []
    wrong = Gathering()
    for index, entry in enumerate(value):
        with wrong.at(index):
            found.append(_short_volume(entry) if isinstance(entry, str) else _long_volume(entry))
    wrong.finish()
    return tuple(found)


def is_host_path(source: str) -> bool:
    return source.startswith(("/", ".", "~", "\\")) or "/" in source or "\\" in source


def refuse_host_path(source: str) -> None:
    if "docker.sock" in source or "containerd.sock" in source:
        raise fault("engine_socket", value=source)
    last = source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    is_file = "." in last.strip(".") and not source.endswith("/")
    raise fault("bind_of_file" if is_file else "bind_of_folder", value=source)


def _short_volume(entry: str) -> VolumeUse:
    source, colon, rest = entry.partition(":")
    if not colon:
        raise fault("anonymous_volume", value=entry)
    if is_host_path(source) or DRIVE.match(entry):
        refuse_host_path(source if len(source) > 1 or source in "/.~" else entry)
    target, _colon, options = rest.partition(":")
    for option in options.split(",") if options else ():
        if option not in ("ro", "rw"):
            raise fault("volume_option", value=option)
    return VolumeUse(read_source(source), read_target(target), "ro" in options.split(","))


def _long_volume(entry: object) -> VolumeUse | Tmpfs:
    if not isinstance(entry, dict):
        raise fault("not_a_map")
    kind = entry.get("type", "volume")
    if kind == "bind" or (kind == "volume" and is_host_path(str(entry.get("source", "")))):
        refuse_host_path(str(entry.get("source", "")))
    if kind not in ("volume", "tmpfs"):
        raise fault("volume_type", value=kind)
    return _long_tmpfs(entry) if kind == "tmpfs" else _long_named(entry)


def _long_named(entry: dict[str, object]) -> VolumeUse:
    wrong = Gathering()
    refuse_unknown(entry, ("type", "source", "target", "read_only"), wrong=wrong)
    source = target = ""
    read_only = False
    with wrong.at("source"):
        if "source" not in entry:
            raise fault("anonymous_volume", value=str(entry.get("target", "")))
        source = read_source(entry["source"])
    with wrong.at("target"):
        target = read_target(entry.get("target"))
    with wrong.at("read_only"):
        read_only = flag(entry.get("read_only", False))
    wrong.finish()
    return VolumeUse(source, target, read_only)


def _long_tmpfs(entry: dict[str, object]) -> Tmpfs:
    wrong = Gathering()
    refuse_unknown(entry, ("type", "target", "tmpfs"), wrong=wrong)
    options = entry.get("tmpfs", {})
    size: object = None
    target = ""
    with wrong.at("tmpfs"):
        if not isinstance(options, dict):
            raise fault("not_a_map")
        refuse_unknown(options, ("size",), wrong=None)
        size = TMPFS_SIZE.read(options["size"]) if "size" in options else None
    with wrong.at("target"):
        target = read_target(entry.get("target"))
    wrong.finish()
    return Tmpfs(target, size if isinstance(size, int) else None)


def read_tmpfs(value: object) -> tuple[Tmpfs, ...]:
    """ "/run", or a list of "/run:size=64m"."""
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list | tuple):
        raise fault("not_a_list")
    if len(entries) > MOST_MOUNTS:
        raise fault("too_many", limit=MOST_MOUNTS)
    found: list[Tmpfs] = []
    wrong = Gathering()
    for index, entry in enumerate(entries):
        with wrong.at(index):
            found.append(_short_tmpfs(entry))
    wrong.finish()
    return tuple(found)


def _short_tmpfs(entry: object) -> Tmpfs:
    if not isinstance(entry, str):
        raise fault("not_text")
    target, _colon, options = entry.partition(":")
    size: object = None
    for option in options.split(",") if options else ():
        key, equals, amount = option.partition("=")
        if key != "size" or not equals:
            raise fault("tmpfs_option", value=option)
        size = TMPFS_SIZE.read(amount)
    return Tmpfs(read_target(target), size if isinstance(size, int) else None)


STRINGS: dict[str, object] = {"type": "string"}
VOLUME_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "type": {"enum": ["volume", "tmpfs"]},
        "source": STRINGS,
        "target": STRINGS,
        "read_only": {"type": "boolean"},
        "tmpfs": {"type": "object", "properties": {"size": {"type": ["string", "integer"]}}},
    },
    "required": ["target"],
    "additionalProperties": False,
}

Volumes = Annotated[
    tuple[VolumeUse | Tmpfs, ...],
    Read(read_volumes, {"type": "array", "maxItems": MOST_MOUNTS, "items": {"anyOf": [STRINGS, VOLUME_SCHEMA]}}),
]
TmpfsMounts = Annotated[tuple[Tmpfs, ...], Read(read_tmpfs, {"anyOf": [STRINGS, {"type": "array", "items": STRINGS}]})]
