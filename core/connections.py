"""Connections to the database that nobody needs for the moment."""

from django.db import connections


def let_go() -> None:
    """Close this thread's connections, unless a transaction is open; the next query opens one again.

    Who waits for long (a stream, between two looks) holds none meanwhile, so that a hundred of them need no hundred.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
