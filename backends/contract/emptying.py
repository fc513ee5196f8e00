"""Taking what is ours off a host."""

from dataclasses import dataclass

from backends.contract.errors import Reason
from backends.contract.spec import ServiceRef


@dataclass(frozen=True)
class Held:
    """A service whose instances cannot leave a host just now, and why."""

    ref: ServiceRef
    reason: Reason


@dataclass(frozen=True)
class Leaving:
    """How far a host is on the way to holding nothing of ours: `left` were there when the step began."""

    left: int
    held: tuple[Held, ...] = ()
