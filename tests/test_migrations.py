"""A new database gets the tables of a package at once; one made before goes on in single steps, and ends the same."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoDbBlocker

from tenants.models import RoleMapping

Empty = Callable[[str], AbstractContextManager[Any]]
# Where a database may stand that was made before: whole in apps, half way in others, and nothing of observe yet.
EARLIER = [
    ("backends", "0003_kubernetes"),
    ("tenants", "0013_token_made_with"),
    ("apps", "0009_kept_logs"),
    ("images", "0002_initial"),
]
POSTGRESQL = """
    SELECT 'column', concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                               attidentity, pg_get_expr(adbin, adrelid))
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'S')
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attnum > 0 AND NOT attisdropped AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'constraint', concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
SQLITE = "SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL"


@pytest.fixture
def empty(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Empty]:
    """A database with nothing in it, in place of the one that tests share, by its name."""
    own = connections[DEFAULT_DB_ALIAS]

    @contextmanager
    def made(name: str) -> Iterator[Any]:
        other = own.copy()
        if other.vendor == "sqlite":
            other.settings_dict["NAME"] = ":memory:"
        else:
            other.settings_dict["NAME"] = f"{own.settings_dict['NAME']}_{name}"
            told(own, f'CREATE DATABASE "{other.settings_dict["NAME"]}"')
        connections[DEFAULT_DB_ALIAS] = other
        ContentType.objects.clear_cache()
        try:
            yield other
        finally:
            connections[DEFAULT_DB_ALIAS] = own
            ContentType.objects.clear_cache()
            other.close()
            if other.vendor != "sqlite":
                told(own, f'DROP DATABASE "{other.settings_dict["NAME"]}"')

    with django_db_blocker.unblock():
        yield made


def told(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def shape(connection: Any) -> set[tuple[str, ...]]:
    """Tables, columns, constraints, indexes, triggers; whatever order they stand in."""
    with connection.cursor() as cursor:
        cursor.execute(SQLITE if connection.vendor == "sqlite" else POSTGRESQL)
        return {(kind, *sorted(parts(text) if kind == "table" else [text])) for kind, text in cursor.fetchall()}


def parts(statement: str) -> list[str]:
    """`CREATE TABLE …` and each column and constraint in its parentheses."""
    head, _, body = statement.partition("(")
    found, depth, begin = [head], 0, 0
    for at, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if (letter == "," and depth == 0) or depth < 0:
            found.append(body[begin:at].strip())
            begin = at + 1
    return found


def rows() -> tuple[object, ...]:
    """What stands in a new database."""
    recorded = MigrationRecorder(connections[DEFAULT_DB_ALIAS]).applied_migrations()
    return set(recorded), sorted(RoleMapping.objects.values_list("place", "keystone_role", "role"))


def left() -> list[str]:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def step_by_step(connection: Any, places: list[tuple[str, str]]) -> None:
    """As it was done before there were squashed migrations."""
    executor = MigrationExecutor(connection)
    executor.loader.replace_migrations = False
    executor.loader.build_graph()
    executor.loader.replacements = {}  # nobody noted them
    executor.migrate(places)


def test_a_database_made_before_ends_as_a_new_one(empty: Empty) -> None:
    with empty("new") as connection:
        assert any("squashed" in name for name in left())
        call_command("migrate", verbosity=0)
        new, new_rows = shape(connection), rows()
        assert not left()
    with empty("before") as connection:
        step_by_step(connection, EARLIER)
        assert {"tenants.0014_images_quota", "images.0003_registry", "observe.0001_squashed_0001_initial"} <= set(
            left()
        )
        assert "apps.0001_squashed_0009_kept_logs" not in left()
        call_command("migrate", verbosity=0)
        assert not left()
        assert not shape(connection) ^ new
        assert rows() == new_rows
    assert {kind for kind, *_ in new} >= {"index", "trigger"}


def test_single_steps_and_squashed_ones_lead_to_the_same_models() -> None:
    steps, whole = MigrationLoader(None, replace_migrations=False), MigrationLoader(None)
    squashed = whole.replacements
    ends = [
        steps.project_state([migration.replaces[-1] for migration in squashed.values()]),
        whole.project_state(list(squashed)),
    ]
    assert squashed
    assert MigrationAutodetector(*ends)._detect_changes() == {}
    assert MigrationAutodetector(*reversed(ends))._detect_changes() == {}


def test_tables_made_at_once_go_at_once(empty: Empty) -> None:
    with empty("new") as connection:
        call_command("migrate", verbosity=0)
        whole, said = shape(connection), StringIO()
        call_command("migrate", "observe", "zero", verbosity=0)
        assert "observe_usagechunk" not in connection.introspection.table_names()
        call_command("sqlmigrate", "observe", "0001_squashed_0001_initial", stdout=said)
        assert 'CREATE TABLE "observe_usagechunk"' in said.getvalue()
        call_command("migrate", verbosity=0)
        assert not shape(connection) ^ whole
