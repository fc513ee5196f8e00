"""Tables whose rows stay as they were written: the database itself refuses."""

from collections.abc import Sequence
from typing import Any, Literal

from django.db.migrations import RunPython

Deed = Literal["update", "delete"]


def refuse_statements(vendor: str, table: str, deed: Deed) -> list[str]:
    name, said = f"{table}_refuse_{deed}", f"rows of {table} are never changed: {deed} refused"
    if vendor == "postgresql":
        return [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation'; END $$",
            f"CREATE TRIGGER {name} BEFORE {deed.upper()} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return [
        f"CREATE TRIGGER {name} BEFORE {deed.upper()} ON {table} FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{said}'); END"
    ]


def allow_statements(vendor: str, table: str, deed: Deed) -> list[str]:
    name = f"{table}_refuse_{deed}"
    if vendor == "postgresql":
        return [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]
    return [f"DROP TRIGGER IF EXISTS {name}"]


def refuse(table: str, *deeds: Deed) -> RunPython:
    """A migration step that makes the database refuse these deeds on every row of the table."""

    def run(editor: Any, statements: Sequence[str]) -> None:
        for statement in statements:
            editor.execute(statement)

    def forwards(_apps: Any, editor: Any) -> None:
        for deed in deeds:
            run(editor, refuse_statements(editor.connection.vendor, table, deed))

    def backwards(_apps: Any, editor: Any) -> None:
        for deed in deeds:
            run(editor, allow_statements(editor.connection.vendor, table, deed))

    return RunPython(forwards, backwards)
