"""The one clock that counts is the database's; workers may be wrong."""

from datetime import UTC, datetime, timedelta

from django.db import connection, models
from django.db.models import ExpressionWrapper, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime


def database_now() -> datetime:
    """The database's present time, aware, with microseconds where it has them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT statement_timestamp()")
            told: datetime = cursor.fetchone()[0]
            return told.astimezone(UTC)
        cursor.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
        parsed = parse_datetime(cursor.fetchone()[0])
        if parsed is None:
            raise RuntimeError("the database gave no time")
        return parsed.replace(tzinfo=UTC)


def from_now(delay: timedelta) -> Combinable:
    """Database now plus a delay, to be used in an UPDATE or a filter."""
    return ExpressionWrapper(Now() + Value(delay), output_field=models.DateTimeField())
