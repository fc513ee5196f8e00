"""Building an image from a folder of sources: what a builder is asked, and what it says meanwhile."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.secrets import Secret


class Readable(Protocol):
    """What bytes are taken from, from its beginning to its end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Entry:
    """A token that lets the builder into one registry, for what the token itself names."""

    registry: str
    token: Secret


@dataclass(frozen=True)
class Ground:
    """An image to build upon. `image`: the builder's id of it. `triggers`: what it adds to what is built upon it."""

    image: str
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """`recipe`: which file of the sources says how. `owner`: whose containers these are, by the label of that value.

    `upon`: an image of the same owner whose steps may be taken over; without one nothing is taken over.
    `network`: whether what runs meanwhile may reach others.
    """

    name: str
    owner: str
    recipe: str
    memory_bytes: int
    cpu_millicores: int
    network: bool = False
    arguments: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    upon: str = ""


@dataclass(frozen=True)
class Said:
    """One piece of what a builder says. `image`: it is done, and this is the image. `digest`: it lies in the registry.

    `failed`: it came to a bad end, in the builder's words.
    """

    text: str = ""
    image: str = ""
    digest: str = ""
    failed: str = ""


OWNER_LABEL = "build.berth.owner"  # in every step of what is built


class Builder(Protocol):
    """Closing a generator ends what it stands for, and leaves no container behind. Errors: DriverError."""

    async def fetch(self, reference: str, entry: Entry | None) -> Ground:
        """Bring an image to build upon from its registry. Errors: those of a registry."""
        ...

    async def look(self, image: str) -> Ground | None:
        """One that lies there already, by the builder's own id."""
        ...

    def build(self, order: Order, sources: Readable, size: int) -> AsyncGenerator[Said, None]:
        """`sources`: a tar file of `size` bytes. Ends with `image` or `failed`."""
        ...

    def push(self, image: str, repository: str, tag: str, entry: Entry) -> AsyncGenerator[Said, None]:
        """Ends with `digest` or `failed`."""
        ...

    async def written(self, owner: str) -> int:
        """Bytes that the running steps of this owner have written so far."""
        ...

    async def tidy(self, owner: str) -> int:
        """Forget what was built for this owner and has no name; answers how much of it is still in use."""
        ...

    async def named(self) -> Mapping[str, str]:
        """The names that what was built here has on this builder, each with its owner."""
        ...

    async def forget(self, name: str) -> bool:
        """Take a name away, and what has no other with it; False while it is still in use."""
        ...
