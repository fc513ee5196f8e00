"""What the database says, read past all of our own code."""

from typing import Any

from psycopg import Connection

NAMES = "SELECT p.engine_name FROM apps_appenvironment p JOIN apps_app a ON a.id = p.app_id"


def engine_names(database: Connection, *, app: str = "") -> list[str]:
    """Engine names of all apps in all environments, or of one app."""
    asked = f"{NAMES} WHERE a.name = %s" if app else NAMES
    return [name for (name,) in database.execute(asked, [app] if app else [])]


def ends(database: Connection, operation: str) -> list[str]:
    """How often and how an operation ended, by the audit."""
    asked = "SELECT result FROM audit_auditentry WHERE operation_id = %s AND result IN ('done', 'failed')"
    return [result for (result,) in database.execute(asked, [operation])]


def fence(database: Connection, operation: str) -> int:
    row = database.execute("SELECT fence FROM operations_operation WHERE id = %s", [operation]).fetchone()
    assert row is not None
    return int(row[0])


def expire(database: Connection, operation: str) -> None:
    """A minute passes: the lease is over."""
    database.execute(
        "UPDATE operations_operation SET lease_until = now() - interval '1 second' WHERE id = %s", [operation]
    )


def everything_about(database: Connection, operation: str) -> list[Any]:
    """All that a worker may write about an operation."""
    asked = (
        "SELECT * FROM operations_operation WHERE id = %s",
        "SELECT * FROM operations_operationevent WHERE operation_id = %s ORDER BY seq",
        "SELECT * FROM audit_auditentry WHERE operation_id = %s ORDER BY id",
        "SELECT * FROM apps_deployment WHERE operation_id = %s",
        "SELECT p.id, p.release_id, p.generation, p.version FROM apps_appenvironment p"
        " JOIN apps_deployment d ON d.place_id = p.id WHERE d.operation_id = %s",
    )
    return [database.execute(statement, [operation]).fetchall() for statement in asked]
