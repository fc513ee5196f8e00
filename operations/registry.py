"""What the packages above register: how each kind of operation is done, and the words of its events."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.access import Rights
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
    """How one kind of operation is done. Each call is short, may be repeated, never sleeps.

    One whose calls may take minutes, because they read something large, says so: `long_steps = True`.
    """

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


LOST_RIGHT = "not_allowed_any_more"
HANDLERS: dict[str, Handler] = {}
SETTLED: list[Callable[[Operation], None]] = []  # called in the transaction that ends any operation
_WORDS: dict[str, Text] = {
    "accepted": gettext_lazy("Accepted, waiting for a worker"),
    "retrying": gettext_lazy("Trying again in %(seconds)s s"),
    "timed_out": gettext_lazy("It was not done in time."),
    "cancelled": gettext_lazy("Cancelled by %(person)s"),
    "cancel_asked": gettext_lazy("%(person)s asked to cancel"),
    LOST_RIGHT: gettext_lazy(
        "%(person)s asked for this, but had lost the right to it when its turn came. Nothing was changed."
    ),
    "undoing": gettext_lazy("Going back to what ran before"),
    "succeeded": gettext_lazy("Done"),
    "failed": gettext_lazy("Failed"),
    "needs_attention": gettext_lazy("Stopped trying: it crashed %(times)s times. An operator has to look at it."),
}


_rights: list[Callable[[UUID], Rights]] = []


def register_rights(find: Callable[[UUID], Rights]) -> None:
    """Tenants tells here how to find what a person may do at this moment."""
    _rights.append(find)


def may_still(operation: Operation) -> bool:
    """Whether whoever asked for it holds a right to it now, when its work begins; Berth itself always does."""
    if operation.requested_by is None:
        return True
    found = [find(operation.requested_by) for find in _rights]
    return any(
        rights.allows(code, tenant=operation.tenant_id, project=operation.project_id)
        for rights in found
        for code in operation.params["needs"]
    )


def register(kind: str, handler: Handler) -> None:
    if kind in HANDLERS:
        raise ValueError(f"operation kind {kind} is registered twice")
    HANDLERS[kind] = handler


def long_kinds() -> list[str]:
    """Kinds of which one step may take minutes. Their messages are their own: a turn of theirs is nobody else's."""
    return [kind for kind, handler in HANDLERS.items() if getattr(handler, "long_steps", False)]


def on_settled(tell: Callable[[Operation], None]) -> Callable[[Operation], None]:
    """Have `tell(operation)` called in the transaction that ends an operation, with its result in `state`."""
    SETTLED.append(tell)
    return tell


def register_words(words: dict[str, Text]) -> None:
    _WORDS.update(words)


def words(code: str, params: dict[str, Any] | None = None) -> str:
    """The sentence of an event in the reader's language."""
    template = _WORDS.get(code)
    if template is None:
        return _("Something happened that this version has no words for (%(code)s).") % {"code": code}
    return str(template) % (params or {})
