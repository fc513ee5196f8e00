"""Answering many lines with one deed: each is a command of its own, and what is refused does not hold up the rest."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.access import Actor
from core.errors import PortalError
from tenants.models import ReviewLine
from tenants.reviews.services import answer


@dataclass(frozen=True)
class Answered:
    done: list[ReviewLine] = field(default_factory=list)
    refused: list[tuple[ReviewLine, PortalError]] = field(default_factory=list)


def answer_all(actor: Actor, lines: Iterable[ReviewLine], *, keep: bool, reason: str = "") -> Answered:
    found = Answered()
    for line in lines:
        try:
            found.done.append(answer(actor, line, keep=keep, reason=reason))
        except PortalError as error:
            found.refused.append((line, error))
    return found
