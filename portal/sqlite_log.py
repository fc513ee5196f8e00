"""SQLite's write-ahead log stays on disk while one connection is open: on a full disk people can still read.

Without it the last connection of each request would take the log away, and the next one could not make it anew.
"""

import sqlite3

from django.conf import settings


def keep_open() -> sqlite3.Connection | None:
    """A connection that does nothing; None with another database. It may be closed by any thread."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return None
    held = sqlite3.connect(database["NAME"], check_same_thread=False, isolation_level=None)
    held.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return held
