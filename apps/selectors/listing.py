"""Rows of lists and single objects as the API shows them: plain dicts, with a number of queries that never grows."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.utils.translation import gettext as _

from apps.models import App, AppEnvironment, Deployment, Environment, Release
from apps.selectors.now import now
from apps.selectors.offered import no_such_cluster, offered_to
from apps.selectors.state import PlaceState, place_state
from apps.specification import differences, stored
from backends.models import Cluster
from core.access import Actor, get_visible, visible
from core.api.paging import Rows, plain
from core.errors import FieldProblem, Invalid, NotFound
from operations.models import Operation
from operations.selectors import told
from tenants.models import Project, Tenant

APP = ["id", "name", "title", "version", "created_at", "updated_at"]
ENVIRONMENT = ["id", "name", "stage", "position", "protected", "version", "cluster_name", "created_at", "updated_at"]
INSTANCE = [
    "id",
    "service",
    "number",
    "state",
    "wanted",
    "host_name",
    "started_at",
    "exit_code",
    "restarts",
    "addresses",
    "reason",
    "seen_at",
]
RELEASE = ["id", "number", "note", "spec_hash", "created_by", "created_by_name", "created_at"]
DEPLOYMENT = ["id", "number", "kind", "result", "generation", "created_by_name", "created_at"]
DEPLOYMENT_NAMES = {
    "environment_name": F("environment__name"),
    "release_number": F("release__number"),
    "replaced_number": F("replaced__number"),
    "operation_state": F("operation__state"),
    "failure": F("operation__failure"),
}
Row = Mapping[str, Any]
Document = dict[str, Any]


def app(actor: Actor, tenant: str, project: str, name: str) -> App:
    """The app with its project and tenant, in one query; NotFound where any part of the way is not visible."""
    rows = App.objects.select_related("project__tenant").filter(
        deleted_at=None, project__deleted_at=None, project__tenant__name=tenant, project__name=project
    )
    return get_visible(actor, rows, name=name)


def place(actor: Actor, names: Mapping[str, str]) -> AppEnvironment:
    """One app in one environment by the names of its address, with all that commands on it want, in one query."""
    rows = AppEnvironment.objects.select_related("app", "project__tenant", "release", "environment__cluster").filter(
        app__deleted_at=None, project__deleted_at=None, project__tenant__name=names["tenant"]
    )
    return get_visible(
        actor, rows, project__name=names["project"], app__name=names["app"], environment__name=names["environment"]
    )


def place_in(found: App, environment: str) -> AppEnvironment:
    """The place of an app in the environment that a body names."""
    rows = AppEnvironment.objects.select_related("app", "project__tenant", "release", "environment__cluster")
    row = rows.filter(app=found, environment__name=environment).first()
    if row is None:
        raise unknown("environment", _("This project has no such environment."))
    return row


def environment_in(project: Project, name: str | None) -> Environment | None:
    """The environment that a body names; None where it names none."""
    if name is None:
        return None
    row = Environment.objects.select_related("cluster").filter(project=project, name=name).first()
    if row is None:
        raise unknown("environment", _("This project has no such environment."))
    return row


def release_in(found: App, number: int | None) -> Release | None:
    """The release that a body names; None where it names none."""
    if number is None:
        return None
    row = Release.objects.filter(app=found, number=number).first()
    if row is None:
        raise unknown("release", _("This app has no such release."))
    return row


def cluster_for(home: Project | Tenant, name: str | None, field: str = "cluster") -> Cluster:
    """The cluster that a new environment names, or the one its tenant uses."""
    row = next((one for one in clusters_for(home) if not name or one.name == name), None)
    if row is None:
        raise no_such_cluster(field)
    return row


def clusters_for(home: Project | Tenant) -> list[Cluster]:
    """Those a tenant may bind an environment to, the one it has used longest first, then the oldest."""
    tenant_id = home.tenant_id if isinstance(home, Project) else home.pk
    used = Environment.objects.filter(tenant_id=tenant_id).values("cluster")
    rows = list(offered_to(tenant_id).annotate(used=Q(pk__in=used)).order_by("id"))
    return sorted(rows, key=lambda row: not row.used)  # type: ignore[attr-defined]  # annotated


def unknown(field: str, message: str) -> Invalid:
    return Invalid(errors=[FieldProblem(field, "unknown", message)])


def environments(actor: Actor, project: Project) -> Rows:
    rows = visible(actor, Environment.objects.filter(project=project))
    return plain(rows.annotate(cluster_name=F("cluster__name")), *ENVIRONMENT)


def environment(actor: Actor, project: Project, name: str) -> Environment:
    return get_visible(actor, Environment.objects.select_related("cluster").filter(project=project), name=name)


def shown_environments(rows: Sequence[Row]) -> list[Document]:
    return [_shown_environment(dict(row)) for row in rows]


def shown_environment(row: Environment) -> Document:
    known = {name: getattr(row, name) for name in ENVIRONMENT if name != "cluster_name"}
    return known | {"cluster": row.cluster.name}


def _shown_environment(row: Document) -> Document:
    return row | {"cluster": row.pop("cluster_name")}


def apps(actor: Actor, project: Project) -> Rows:
    return plain(visible(actor, App.objects.filter(project=project, deleted_at=None)), *APP)


def shown_apps(rows: Sequence[Row]) -> list[Document]:
    """Rows of `apps`, each with what is declared and what runs in every environment: one more query for all."""
    found: dict[uuid.UUID, list[Document]] = defaultdict(list)
    for one in _places([row["id"] for row in rows]):
        found[one.pop("app_id")].append(one)
    return [{**row, "environments": found[row["id"]]} for row in rows]


def _places(app_ids: list[uuid.UUID]) -> Rows:
    rows = AppEnvironment.objects.filter(app__in=app_ids).order_by("environment__position")
    return rows.annotate(name=F("environment__name"), release_number=F("release__number")).values(
        "app_id", "name", "release_number", "stopped", wanted=Sum("services__wanted"), running=Sum("services__running")
    )


def shown_app(actor: Actor, row: App) -> Document:
    """An app with its state in every environment, in words: five queries."""
    return {name: getattr(row, name) for name in APP} | {
        "environments": [_in_environment(one, state) for one, state in _states(actor, row)]
    }


def _in_environment(row: AppEnvironment, state: PlaceState) -> Document:
    return {
        "name": row.environment.name,
        "release_number": row.release.number if row.release else None,
        "stopped": row.stopped,
        "wanted": state.wanted,
        "running": state.running,
        "state": shown_state(state),
    }


def _states(actor: Actor, row: App) -> list[tuple[AppEnvironment, PlaceState]]:
    rows = AppEnvironment.objects.select_related("app", "release", "environment__cluster").filter(app=row)
    places = list(
        visible(actor, rows).prefetch_related("services", "observed_instances").order_by("environment__position")
    )
    latest = Operation.objects.filter(target=OuterRef("target")).order_by("-created_at", "-id").values("pk")[:1]
    targets = [f"place:{one.pk}" for one in places]
    newest = Operation.objects.filter(target__in=targets, pk=Subquery(latest))
    operations = {operation.target: operation for operation in newest}
    return [
        (one, place_state(one, one.services.all(), one.observed_instances.all(), operations.get(f"place:{one.pk}")))
        for one in places
    ]


def shown_state(state: PlaceState) -> Document:
    """A key for programs, words for people."""
    return {
        "status": str(state.status.value),
        "word": str(state.word or state.status.word),
        "sentence": state.sentence,
        "hint": state.hint,
        "trouble": state.trouble,
        "stale_since": state.stale_since,
    }


def shown_place(row: AppEnvironment) -> Document:
    """What is declared for an app in an environment, and what runs there."""
    seen = now(row)
    return {
        "id": row.pk,
        "app": row.app.name,
        "environment": row.environment.name,
        "stage": row.environment.stage,
        "protected": row.environment.protected,
        "release_number": row.release.number if row.release else None,
        "generation": row.generation,
        "version": row.version,
        "stopped": row.stopped,
        "wanted": seen.state.wanted,
        "running": seen.state.running,
        "state": shown_state(seen.state),
        "operation_id": seen.operation.pk if seen.operation and seen.operation.active else None,
        "services": [_shown_service(service) for service in seen.services],
        "seen_at": seen.seen_at,
    }


def _shown_service(service: Any) -> Document:
    return {
        "name": service.name,
        "image": service.image,
        "digest": service.digest,
        "wanted": service.wanted,
        "running": service.running,
        "cpu_limit_cores": service.cpu / 1000 if service.cpu is not None else None,
        "memory_limit_bytes": service.memory,
        "message": service.told.sentence,
        "hint": service.told.hint,
    }


def instances(row: AppEnvironment) -> Rows:
    return plain(row.observed_instances.annotate(host_name=F("host__name")), *INSTANCE)


def instance(row: AppEnvironment, instance_id: uuid.UUID) -> Document:
    found = instances(row).filter(pk=instance_id).first()
    if found is None:
        raise NotFound()
    return _shown_instance(found)


def shown_instances(rows: Sequence[Row]) -> list[Document]:
    return [_shown_instance(row) for row in rows]


def _shown_instance(row: Row) -> Document:
    document = dict(row)
    return document | {
        "host": document.pop("host_name"),
        "addresses": [{"port": port, "address": address} for port, address in row["addresses"]],
        "reason": told(row["reason"]),
    }


def releases(found: App) -> Rows:
    return plain(found.releases, *RELEASE)


def release(found: App, number: int) -> Release:
    row = found.releases.filter(number=number).first()
    if row is None:
        raise NotFound()
    return row


def shown_release(row: Release) -> Document:
    images = row.images.order_by("service").values("service", "reference", "digest")
    return {name: getattr(row, name) for name in RELEASE} | {
        "specification": row.specification,
        "images": list(images),
    }


def shown_differences(found: App, number: int, other: int) -> Document:
    """What changed from release `other` to release `number`."""
    after, before = release(found, number), release_in(found, other)
    lines = differences(stored(before.specification), stored(after.specification)) if before else []
    return {"release": number, "with": other, "differences": [one.as_json() for one in lines]}


def deployments(found: App) -> Rows:
    return plain(found.deployments.annotate(**DEPLOYMENT_NAMES), *DEPLOYMENT, "operation_id", *DEPLOYMENT_NAMES)


def deployment(found: App, number: int) -> Deployment:
    row = found.deployments.select_related("operation").filter(number=number).first()
    if row is None:
        raise NotFound()
    return row


def shown_deployments(rows: Sequence[Row]) -> list[Document]:
    return [_shown_deployment(dict(row)) for row in rows]


def shown_deployment(found: App, row: Deployment) -> Document:
    return _shown_deployment(dict(deployments(found).get(pk=row.pk)))


def _shown_deployment(row: Document) -> Document:
    return row | {"environment": row.pop("environment_name"), "failure": told(row["failure"])}
