"""Fills a portal's database as a large installation would: `python -m benchmarks.inside benchmarks.many --apps 100000`.

Runs in a process of its own with the portal's BERTH_STATE, beside the portal that serves.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import transaction

from apps.models import App, AppEnvironment, Environment, ObservedInstance, ObservedService, Release
from apps.models.declared import engine_name
from apps.reserving import planned, where_of
from apps.specification import stored
from backends.models import Cluster
from core.clock import database_now
from core.rows import new_id
from tenants.models import Grant, Organization, Project, Tenant, User
from tenants.quota import claiming, counting
from tenants.quota.claiming import Where
from tenants.quota.models import QuotaClaim

APPS_IN_A_PROJECT = 1000
PROJECTS_IN_A_TENANT = 10
AT_ONCE = 2000
BREATH_SECONDS = 0.15  # between two projects: whoever waits for the database looks every 100 ms whether it is free
DOCUMENT = {"services": {"web": {"image": "berth/hello:1", "deploy": {"replicas": 3}}}}


def fill(apps: int) -> None:
    """Tenants bench-0, bench-1 ... of 10 projects with 1000 apps; every app runs three instances in dev.

    Their cluster has no address: it is not observed, so that nothing takes away what was never there. What is not
    observed is stale a minute later, but for the first project, which was seen a day from now. A second run finds all
    made.
    """
    if Cluster.objects.filter(name="bench").exists():
        return
    owner, now = User.objects.get(username="owner"), database_now()
    cluster = Cluster.objects.create(name="bench", kind=Cluster.Kind.SWARM)
    organization, _made = Organization.objects.get_or_create(name="bench")
    for number in range(-(-apps // APPS_IN_A_PROJECT)):
        tenant, made = Tenant.objects.get_or_create(
            name=f"bench-{number // PROJECTS_IN_A_TENANT}", defaults={"organization": organization}
        )
        if made:
            Grant.objects.create(user=owner, role="tenant.owner", tenant=tenant)
        seen = now if number else now + timedelta(days=1)
        fill_project(tenant, cluster, f"p{number}", min(APPS_IN_A_PROJECT, apps - number * APPS_IN_A_PROJECT), seen)
        time.sleep(BREATH_SECONDS)


@transaction.atomic
def fill_project(tenant: Tenant, cluster: Cluster, name: str, apps: int, now: Any) -> None:
    project = Project.objects.create(tenant=tenant, name=name)
    whose: dict[str, Any] = {"tenant": tenant, "project": project}
    environments = [
        Environment.objects.create(
            **whose, cluster=cluster, name=stage, stage=stage, position=place, protected=stage == "prod"
        )
        for place, stage in enumerate(("dev", "test", "prod"), 1)
    ]
    made = [App(**whose, name=f"app-{number}") for number in range(apps)]
    save(App, made)
    releases = {
        app.pk: Release(**whose, app=app, number=1, specification=DOCUMENT, spec_hash="0" * 64, created_by_name="bench")
        for app in made
    }
    save(Release, releases.values())
    places = [
        place_of(whose, app, environment, releases[app.pk] if environment.stage == "dev" else None)
        for app in made
        for environment in environments
    ]
    save(AppEnvironment, places)
    running = [place for place in places if place.release_id]
    save(ObservedService, (service_of(whose, place, now) for place in running))
    save(ObservedInstance, (instance for place in running for instance in instances_of(whose, place, now)))
    hold(tenant, project, running)


def hold(tenant: Tenant, project: Project, running: list[AppEnvironment]) -> None:
    """What is declared is held, as if it had been deployed; the hourly recount finds nothing to mend."""
    needs = planned(running[0], stored(DOCUMENT))
    claiming.make_rows(Where(tenant.pk, project.pk), needs)
    claims = ((place.pk, where_of(place), name, amount) for place in running for name, amount in needs.items())
    save(
        QuotaClaim,
        (
            QuotaClaim(tenant_id=where.tenant, project_id=where.project, holder=key, resource=name, amount=amount)
            for key, where, name, amount in claims
        ),
    )
    counting.mend(tenant, [project.pk])


def place_of(whose: dict[str, Any], app: App, environment: Environment, release: Release | None) -> AppEnvironment:
    row_id = new_id()
    named = {"id": row_id, "engine_name": engine_name("a", row_id)}  # bulk_create does not call save()
    return AppEnvironment(**whose, **named, app=app, environment=environment, release=release)


def service_of(whose: dict[str, Any], place: AppEnvironment, now: Any) -> ObservedService:
    seen = {"wanted": 3, "running": 3, "phase": "converged", "seen_at": now}
    return ObservedService(**whose, **seen, place=place, service="web")


def instances_of(whose: dict[str, Any], place: AppEnvironment, now: Any) -> Iterator[ObservedInstance]:
    for number in (1, 2, 3):
        seen = {"state": "running", "wanted": True, "started_at": now, "seen_at": now}
        yield ObservedInstance(
            **whose, **seen, place=place, service="web", number=number, engine_id=f"{place.engine_name}.{number}"
        )


def save(model: Any, rows: Iterable[Any]) -> None:
    several = iter(rows)
    while part := list(islice(several, AT_ONCE)):
        model.objects.bulk_create(part)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--apps", type=int, default=100_000)
    fill(parser.parse_args().apps)
