"""What the packages above register: how each kind of operation is done, and the words of its events."""

from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Text
from operations.models import Operation


@dataclass(frozen=True)
class Wait:
    """Ask to be called again. `code` and `params` become an event when they differ from the last one."""

    seconds: float
    code: str = ""
    params: dict[str, Any] | None = None
    step: str = ""
    level: str = "info"


class StepFailed(Exception):
    """A step can never succeed; what was done is to be undone. `code` is a word of this registry or a ReasonCode."""

    def __init__(self, code: str, params: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code, self.params = code, params or {}


class Handler(Protocol):
    """How one kind of operation is done. Each call is short, may be repeated, never sleeps."""

    deadline_seconds: int

    def step(self, operation: Operation) -> Wait | None:
        """Go on; None when all is done."""
        ...

    def undo(self, operation: Operation) -> Wait | None:
        """After a failure, a cancel or the deadline: go back; None when that is done."""
        ...

    def settled(self, operation: Operation) -> None:
        """In the transaction that ends the operation; `operation.state` is its result."""
        ...


HANDLERS: dict[str, Handler] = {}
_WORDS: dict[str, Text] = {
    "accepted": gettext_lazy("Accepted, waiting for a worker"),
    "retrying": gettext_lazy("Trying again in %(seconds)s s"),
    "timed_out": gettext_lazy("It was not done in time."),
    "cancelled": gettext_lazy("Cancelled by %(person)s"),
    "cancel_asked": gettext_lazy("%(person)s asked to cancel"),
    "undoing": gettext_lazy("Going back to what ran before"),
    "succeeded": gettext_lazy("Done"),
    "failed": gettext_lazy("Failed"),
    "needs_attention": gettext_lazy("Stopped trying: it crashed %(times)s times. An operator has to look at it."),
}


def register(kind: str, handler: Handler) -> None:
    if kind in HANDLERS:
        raise ValueError(f"operation kind {kind} is registered twice")
    HANDLERS[kind] = handler


def register_words(words: dict[str, Text]) -> None:
    _WORDS.update(words)


def words(code: str, params: dict[str, Any] | None = None) -> str:
    """The sentence of an event in the reader's language."""
    template = _WORDS.get(code)
    if template is None:
        return _("Something happened that this version has no words for (%(code)s).") % {"code": code}
    return str(template) % (params or {})
