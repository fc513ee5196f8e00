"""Tables whose rows stay as they were written: the database itself refuses."""

from collections.abc import Sequence
from typing import Any, Literal

from django.db.migrations import RunPython

Deed = Literal["update", "delete"]


def refuse_statements(vendor: str, table: str, deed: Deed, *, when: str = "TRUE") -> list[str]:
    """`when`: a condition on the row as it was, such as `OLD.sealed_at IS NOT NULL`."""
    name, said = f"{table}_refuse_{deed}", f"rows of {table} stay as they are: {deed} refused"
    if vendor == "postgresql":
        return [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation'; END $$",
            f"CREATE TRIGGER {name} BEFORE {deed.upper()} ON {table} FOR EACH ROW WHEN ({when}) "
            f"EXECUTE FUNCTION {name}()",
        ]
    return [
        f"CREATE TRIGGER {name} BEFORE {deed.upper()} ON {table} FOR EACH ROW WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
    ]


def allow_statements(vendor: str, table: str, deed: Deed) -> list[str]:
    name = f"{table}_refuse_{deed}"
    if vendor == "postgresql":
        return [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]
    return [f"DROP TRIGGER IF EXISTS {name}"]


def refuse(table: str, *deeds: Deed, when: str = "TRUE") -> RunPython:
    """A migration step that makes the database refuse these deeds on the table's rows of which `when` is true."""

    def run(editor: Any, statements: Sequence[str]) -> None:
        for statement in statements:
            editor.execute(statement)

    def forwards(_apps: Any, editor: Any) -> None:
        for deed in deeds:
            run(editor, refuse_statements(editor.connection.vendor, table, deed, when=when))

    def backwards(_apps: Any, editor: Any) -> None:
        for deed in deeds:
            run(editor, allow_statements(editor.connection.vendor, table, deed))

    return RunPython(forwards, backwards)
