"""As Django's own, but what is closed is kept for whoever opens next: to open the file and read what tables there are
costs milliseconds, more than most questions, and each request has a thread of its own.

Only in a process that asks for it. Nothing of a request stays in a connection: no statement that is still being read,
for it would hold fast what was true then, and no transaction.
"""

import os
import sqlite3
from typing import Any
from weakref import WeakSet

from django.db.backends.sqlite3 import base


class Spare:
    """Open connections that nobody uses, at most so many; none until `keep` is called, and none in a forked child."""

    def __init__(self) -> None:
        self._most = 0
        self._process = 0
        self._kept: list[tuple[str, sqlite3.Connection]] = []

    def keep(self, most: int) -> None:
        self._most, self._process = most, os.getpid()

    def take(self, database: str) -> sqlite3.Connection | None:
        if not self._here():
            return None
        try:
            name, connection = self._kept.pop()
        except IndexError:
            return None
        if name == database:
            return connection
        connection.close()
        return None

    def give(self, database: str, connection: sqlite3.Connection) -> bool:
        """False: there are enough."""
        if not self._here() or len(self._kept) >= self._most:
            return False
        self._kept.append((database, connection))
        return True

    def end(self) -> None:
        """Keep none from now on."""
        self._most = 0
        while self._kept:
            self._kept.pop()[1].close()

    def _here(self) -> bool:
        return self._most > 0 and self._process == os.getpid()


SPARE = Spare()


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cursors: WeakSet[Any] = WeakSet()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._cursors = WeakSet()  # those of the connection before cannot be closed any more
        return SPARE.take(str(conn_params["database"])) or super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        made = super().create_cursor(name)
        self._cursors.add(made)
        return made

    def _close(self) -> None:
        if not (self._is_clean() and SPARE.give(str(self.settings_dict["NAME"]), self.connection)):
            super()._close()  # type: ignore[misc]  # the stubs leave it out

    def _is_clean(self) -> bool:
        """End what is still being read. False after an error, and where a transaction is open."""
        if self.connection is None or self.in_atomic_block or self.errors_occurred:
            return False
        for cursor in list(self._cursors):
            cursor.close()
        self._cursors.clear()
        return not self.connection.in_transaction
