"""What the portal's SQLite file says."""

import sqlite3
from contextlib import closing

from tests.e2e.portal import Portal


def engine_name(portal: Portal, app: str) -> str:
    rows = "SELECT p.engine_name FROM apps_appenvironment p JOIN apps_app a ON a.id = p.app_id"
    rows += " JOIN apps_environment e ON e.id = p.environment_id WHERE a.name = ? AND e.name = 'dev'"
    with closing(sqlite3.connect(portal.state / "berth.sqlite3")) as connection:
        return str(connection.execute(rows, [app]).fetchone()[0])
