"""Is the process alive, and can it do its work?"""

from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


def alive(request: HttpRequest) -> HttpResponse:
    """No database, no secrets: the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """Each check by name; 503 while one fails. Says nothing about why: that stands in the log."""
    checks: dict[str, Callable[[], bool]] = {"database": _database, "migrations": _migrated}
    if settings.REDIS_URL:
        checks["redis"] = _redis
    results = {name: check() for name, check in checks.items()}
    return JsonResponse(
        {"ready": all(results.values()), "checks": results}, status=200 if all(results.values()) else 503
    )


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _migrated() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _redis() -> bool:
    from operations import redis_bell  # only where there is one: its library takes megabytes

    try:
        cache.get("ready")
    except redis_bell.AWAY:
        return False
    return True
