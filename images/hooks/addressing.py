"""Where a message may go: looked up and judged before it is kept, and again each time that something is sent."""

from dataclasses import dataclass

from core import foreign
from core.errors import FieldProblem, Invalid
from core.secrets import Secret


@dataclass(frozen=True)
class Address:
    """`host` may be shown, with scheme and port; the rest may hold a key of the receiver's."""

    text: Secret
    host: str


def judged(text: str) -> Address:
    """Asks for the name's numbers, so never within a transaction. Raises Invalid for what is not called from here."""
    try:
        called = foreign.target(text.strip())
    except foreign.Refused as error:
        raise Invalid(errors=[FieldProblem("address", error.code, error.message, error.hint)]) from error
    return Address(Secret(text.strip()), f"{called.scheme}://{called.shown}")
