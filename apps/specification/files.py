"""Configs and secrets as files in an instance."""

import re
from dataclasses import dataclass
from typing import Annotated

from apps.specification.part import Canonical, canonical
from apps.specification.paths import read_source, read_target, refuse_unknown
from apps.specification.problems import Gathering, fault
from apps.specification.scalars import Read, WrittenInt, as_text, whole

MOST_FILES = 20
DEFAULT_MODE = 0o444
OWNER = whole(0, 2**31 - 1)
STRINGS: dict[str, object] = {"type": "string"}


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


def read_files(value: object, *, folder: str) -> tuple[FileUse, ...]:
    """Entries of a service's `configs` or `secrets`: a name, or a map. A bare name lands in `folder`."""
    if not isinstance(value, list | tuple):
        raise fault("not_a_list")
    if len(value) > MOST_FILES:
        raise fault("too_many", limit=MOST_FILES)
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
FILES_SCHEMA: dict[str, object] = {
    "type": "array",
    "maxItems": MOST_FILES,
    "items": {"anyOf": [STRINGS, FILE_SCHEMA]},
}
Configs = Annotated[tuple[FileUse, ...], Read(lambda value: read_files(value, folder="/"), FILES_SCHEMA)]
Secrets = Annotated[tuple[FileUse, ...], Read(lambda value: read_files(value, folder="/run/secrets/"), FILES_SCHEMA)]
