"""What is put into an instance's file system: named volumes, tmpfs, configs and secrets."""

import re
from dataclasses import dataclass
from typing import Annotated

from apps.specification.part import Canonical, canonical
from apps.specification.problems import Gathering, fault
from apps.specification.scalars import KI, TI, Read, WrittenInt, as_text, flag, memory, memory_text, whole
from core.names import is_label

MOST_MOUNTS = 20
DEFAULT_MODE = 0o444
PATH = re.compile(r"/[^\x00-\x1f\x7f:]{0,254}\Z")
DRIVE = re.compile(r"[A-Za-z]:(?:\\|/[^:]*:/)")  # C:\\data, C:/data:/app
ENGINE_PATHS = ("/proc", "/sys", "/dev")
TMPFS_SIZE = memory(4 * KI, TI)
OWNER = whole(0, 2**31 - 1)


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


@dataclass(frozen=True)
class FileUse:
    """A config or a secret as a file in the instance."""

    source: str
    target: str
    uid: int = 0
    gid: int = 0
    mode: int = DEFAULT_MODE

    def canonical(self) -> Canonical:
        return canonical(
            source=self.source,
            target=self.target,
            uid=str(self.uid) if self.uid else None,
            gid=str(self.gid) if self.gid else None,
            mode=f"0{self.mode:o}" if self.mode != DEFAULT_MODE else None,
        )


def read_path(value: object) -> str:
    """An absolute path inside the instance, without a trailing slash."""
    if not isinstance(value, str) or not PATH.match(value):
        raise fault("bad_path", value=value)
    if ".." in value.split("/"):
        raise fault("bad_path", value=value)
    return "/" + "/".join(part for part in value.split("/") if part not in ("", "."))


def read_target(value: object) -> str:
    """A path something can be put at."""
    path = read_path(value)
    engine = any(path == root or path.startswith(f"{root}/") for root in ENGINE_PATHS) and path != "/dev/shm"  # noqa: S108
    if path == "/" or engine:
        raise fault("reserved_path", value=value)
    return path


def read_source(value: object) -> str:
    if not isinstance(value, str) or not is_label(value):
        raise fault("bad_name", value=value, nearest=nearest_label(value))
    return value


def nearest_label(value: object) -> str:
    """The name that most resembles what was written, and is allowed."""
    text = re.sub(r"[^a-z0-9]+", "-", str(value).lower())[:40]
    text = re.sub(r"^[^a-z]+", "", text).rstrip("-")
    return text or "data"


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


def refuse_unknown(entry: dict[str, object], known: tuple[str, ...], *, wrong: Gathering | None) -> None:
    """Each key not in `known` is a fault at its place; gathered in `wrong`, or raised when None."""
    gathered = wrong or Gathering()
    for key in entry:
        with gathered.at(key):
            if key not in known:
                raise fault("extra_forbidden")
    if wrong is None:
        gathered.finish()


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


def read_files(value: object, *, folder: str) -> tuple[FileUse, ...]:
    """Entries of a service's `configs` or `secrets`: a name, or a map. A bare name lands in `folder`."""
    if not isinstance(value, list | tuple):
        raise fault("not_a_list")
    if len(value) > MOST_MOUNTS:
        raise fault("too_many", limit=MOST_MOUNTS)
    found: list[FileUse] = []
    wrong = Gathering()
    for index, entry in enumerate(value):
        with wrong.at(index):
            found.append(_file_use({"source": entry} if isinstance(entry, str) else entry, folder=folder))
    wrong.finish()
    return tuple(found)


def _file_use(entry: object, *, folder: str) -> FileUse:
    if not isinstance(entry, dict):
        raise fault("not_a_map")
    wrong = Gathering()
    refuse_unknown(entry, ("source", "target", "uid", "gid", "mode"), wrong=wrong)
    source = target = ""
    owner = {"uid": 0, "gid": 0}
    mode = DEFAULT_MODE
    with wrong.at("source"):
        source = read_source(entry.get("source"))
    with wrong.at("target"):
        wanted = entry.get("target", source or "x")
        relative = isinstance(wanted, str) and not wanted.startswith("/")
        target = read_target(f"{folder}{wanted}" if relative else wanted)
    for key in owner:
        with wrong.at(key):
            owner[key] = _number(OWNER.read(entry.get(key, 0)))
    with wrong.at("mode"):
        mode = read_mode(entry.get("mode", DEFAULT_MODE))
    wrong.finish()
    return FileUse(source, target, owner["uid"], owner["gid"], mode)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def read_mode(value: object) -> int:
    """A file mode: "0440", 0440 in YAML, or the plain number."""
    octal = value if isinstance(value, str) else value.text if isinstance(value, WrittenInt) else ""
    if re.fullmatch(r"0?o?[0-7]{3,4}", octal, re.ASCII) and (octal.startswith("0") or isinstance(value, str)):
        mode = int(octal.replace("o", ""), 8)
    elif isinstance(value, int) and not isinstance(value, bool):
        mode = int(value)
    else:
        raise fault("bad_mode", value=value)
    if not 0 < mode <= 0o777:
        raise fault("bad_mode", value=as_text(value))
    return mode


STRINGS: dict[str, object] = {"type": "string"}
FILE_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "source": STRINGS,
        "target": STRINGS,
        "uid": {"type": ["string", "integer"]},
        "gid": {"type": ["string", "integer"]},
        "mode": {"type": ["string", "integer"]},
    },
    "required": ["source"],
    "additionalProperties": False,
}
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
FILES_SCHEMA: dict[str, object] = {
    "type": "array",
    "maxItems": MOST_MOUNTS,
    "items": {"anyOf": [STRINGS, FILE_SCHEMA]},
}

Volumes = Annotated[
    tuple[VolumeUse | Tmpfs, ...],
    Read(read_volumes, {"type": "array", "maxItems": MOST_MOUNTS, "items": {"anyOf": [STRINGS, VOLUME_SCHEMA]}}),
]
TmpfsMounts = Annotated[tuple[Tmpfs, ...], Read(read_tmpfs, {"anyOf": [STRINGS, {"type": "array", "items": STRINGS}]})]
Configs = Annotated[tuple[FileUse, ...], Read(lambda value: read_files(value, folder="/"), FILES_SCHEMA)]
Secrets = Annotated[tuple[FileUse, ...], Read(lambda value: read_files(value, folder="/run/secrets/"), FILES_SCHEMA)]
