"""Rights that begin or end: whoever holds a socket open is looked at again at once, not only within two seconds."""

from collections.abc import Iterable
from uuid import UUID

from operations.changes import announce, announce_to_all


def tell_of(person: UUID) -> None:
    """Call it in the transaction that changes what a person may do, or ends a session or a token of theirs."""
    announce("person", person, person=person)


def tell_of_all(people: Iterable[UUID]) -> None:
    """`tell_of` each of them, in one statement."""
    announce_to_all("person", people)
