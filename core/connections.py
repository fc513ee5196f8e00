"""Connections to the database that nobody needs for the moment, and those that a thread keeps."""

from django.db import connections


def let_go() -> None:
    """Close this thread's connections, unless a transaction is open; the next query opens one again.

    Who waits for long (a stream, between two looks) holds none meanwhile, so that a hundred of them need no hundred.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def keep_fresh() -> None:
    """Before a thread that all sockets share asks again: give up a connection that broke or grew old, keep any other.

    A file needs no age: opening it again costs more than most of the questions.
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" or connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
