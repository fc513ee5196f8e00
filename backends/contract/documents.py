"""Documents in an engine's own words: what it is given, for people to read, and apps that come from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from django.utils.functional import Promise

MASK = "••••••"  # of one length, whatever it stands for


@dataclass(frozen=True)
class Given:
    """One document as the engine takes it, with covered values. `service`: empty where it belongs to all of them."""

    kind: str
    name: str
    document: dict[str, Any]
    service: str = ""


Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Remark:
    """What becomes of one place of a document that is read. `refused`: it stands in the way; `leave`: without what
    it would not."""

    kind: Literal["refused", "changed", "dropped", "kept"]
    loc: Loc
    code: str
    message: "str | Promise"
    hint: "str | Promise" = ""
    leave: Loc = ()


@dataclass(frozen=True)
class Translated:
    """Documents of an engine as a specification: plain maps and lists, to be checked like anything that is sent.

    `origins`: from places of `document` to those they were read from. `name`: what the documents call the app.
    """

    name: str
    document: dict[str, Any]
    origins: Mapping[Loc, Loc]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class Written:
    """One document of an export. `service`: whose rest it can carry. `note`: what a person has to do with it."""

    document: dict[str, Any]
    service: str = ""
    note: "str | Promise" = ""


class Format(Protocol):
    """A form in which apps come from elsewhere and go there. `code` stands in addresses, `label` is for people."""

    code: str
    label: str

    def mentions(self, text: str) -> bool:
        """Whether it can be such at all; told at once, however long it is."""
        ...

    def recognises(self, documents: Sequence[object]) -> bool:
        """Whether these are meant to be such."""
        ...

    def read(self, documents: Sequence[object]) -> Translated: ...

    def write(self, app: str, document: Mapping[str, Any]) -> list[Written]:
        """What can be said in this form of a specification. A secret's value is left to be filled in."""
        ...

    def with_rest(self, written: Written, rest: Mapping[str, Any]) -> Written:
        """`rest`: what is lacking of a service, as a patch to what `read` makes of the documents."""
        ...
