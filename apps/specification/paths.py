"""Names and paths: where things are put inside an instance, and what they are called."""

import re

from apps.specification.problems import Gathering, fault
from core.names import is_label

PATH = re.compile(r"/[^\x00-\x1f\x7f:]{0,254}\Z")
ENGINE_PATHS = ("/proc", "/sys", "/dev")


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


def refuse_unknown(entry: dict[str, object], known: tuple[str, ...], *, wrong: Gathering | None) -> None:
    """Each key not in `known` is a fault at its place; gathered in `wrong`, or raised when None."""
    gathered = wrong or Gathering()
    for key in entry:
        with gathered.at(key):
            if key not in known:
                raise fault("extra_forbidden")
    if wrong is None:
        gathered.finish()
