"""What every reader of packages gives back."""

from dataclasses import asdict, dataclass
from typing import Any

LONGEST = 300
ENDINGS = "\r\n\t "


@dataclass(slots=True)
class Package:
    """One package in an image. `kind` is its type in a package URL."""

    kind: str  # deb | apk | rpm | pypi | npm | golang | maven
    name: str
    version: str
    source: str = ""  # what it was built from, where advisories go by that
    source_version: str = ""
    licence: str = ""
    arch: str = ""
    path: str = ""
    layer: int = 0
    epoch: str = ""
    standing: str = ""  # "" | own: the image's own program | system: owned by a package of the system | nameless

    def __post_init__(self) -> None:
        for field in ("name", "version", "source", "source_version", "licence", "arch", "path"):
            setattr(self, field, plain(getattr(self, field)))

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.kind, self.name, self.version)

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value not in ("", 0)}


def plain(text: str) -> str:
    """One line without control characters, and not endless."""
    return "".join(sign for sign in text.strip(ENDINGS)[:LONGEST] if sign.isprintable())


class Unread(Exception):
    """A list of packages that cannot be read; `code` says why, in `images.scanning.words`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
