"""Which changes of apps are told to whom: what one began has ended, and what one deployed is failing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.models import AppEnvironment, Deployment, ObservedService
from apps.selectors.reasons import failure_sentence
from backends.contract import Phase
from core.clock import from_now
from core.errors import Text
from operations.models import Operation
from operations.registry import on_settled
from tenants import notices
from tenants.models import Notice

FAILING_FOR = timedelta(seconds=20)  # a start that stumbles once is no news
MOST_TOLD = 100

_DONE: dict[str, Text] = {
    "deploy": _("Release %(release)s of %(app)s runs in %(environment)s"),
    "rollback": _("%(app)s in %(environment)s is back at release %(release)s"),
    "scale": _("%(app)s in %(environment)s is scaled"),
    "restart": _("%(app)s in %(environment)s is restarted"),
    "stop": _("%(app)s in %(environment)s is stopped"),
    "start": _("%(app)s in %(environment)s is started"),
    "delete": _("%(app)s is taken out of %(environment)s"),
}
_FAILED: dict[str, Text] = {
    "deploy": _("Release %(release)s of %(app)s could not be deployed to %(environment)s"),
    "rollback": _("%(app)s in %(environment)s could not go back to release %(release)s"),
    "scale": _("%(app)s in %(environment)s could not be scaled"),
    "restart": _("%(app)s in %(environment)s could not be restarted"),
    "stop": _("%(app)s in %(environment)s could not be stopped"),
    "start": _("%(app)s in %(environment)s could not be started"),
    "delete": _("%(app)s could not be taken out of %(environment)s"),
}
ATTENTION, FAILING = "operation.needs_attention", "app.failing"
_LEVELS = {
    Operation.State.SUCCEEDED: Notice.Level.OK,
    Operation.State.FAILED: Notice.Level.BAD,
    Operation.State.ATTENTION: Notice.Level.WARN,
}


def _why(params: Mapping[str, Any]) -> str:
    told = failure_sentence(params.get("failure"))
    return f"{told.sentence} {told.hint}".strip()


for _kind, _words in _DONE.items():
    notices.register(f"{_kind}.succeeded", _words)
for _kind, _words in _FAILED.items():
    notices.register(f"{_kind}.failed", _words, _why)
notices.register(ATTENTION, _("The change of %(app)s in %(environment)s needs an operator"), _why)
notices.register(FAILING, _("%(app)s in %(environment)s does not run as it should"), _why)


@on_settled
def tell_of_end(operation: Operation) -> None:
    """Who began a change hears how it ended; what was cancelled was cancelled by somebody who knows."""
    level = _LEVELS.get(Operation.State(operation.state))
    deployment = Deployment.objects.select_related("app__project__tenant", "environment", "release")
    row = deployment.filter(operation=operation).first()
    if level is None or row is None or operation.requested_by is None:
        return
    known = row.kind in _DONE and operation.state != Operation.State.ATTENTION
    notices.tell(
        operation.requested_by,
        f"{row.kind}.{operation.state}" if known else ATTENTION,
        level=level,
        params=_names(row.app.name, row.environment.name)
        | {"release": operation.params.get("release"), "failure": operation.failure},
        link=reverse("deployment", kwargs=_path(row.app.project.tenant.name, row.app.project.name, row.app.name)
                     | {"number": row.number}),
        tenant=operation.tenant_id,
        project=operation.project_id,
        about=f"operation:{operation.pk}",
    )  # fmt: skip


def _names(app: str, environment: str) -> dict[str, Any]:
    return {"app": app, "environment": environment}


def _path(tenant: str, project: str, app: str) -> dict[str, Any]:
    return {"tenant": tenant, "project": project, "app": app}


def tell_of_failing() -> None:
    """Who deployed what fails now hears of it, once for each change of the place."""
    short = Q(phase__in=(Phase.FAILING, Phase.ROLLED_BACK)) & Q(running__lt=F("wanted"))
    rows = ObservedService.objects.filter(short, reason__isnull=False, place__release__isnull=False)
    rows = rows.select_related("place__app", "place__project__tenant", "place__environment")
    told = set(Notice.objects.filter(kind=FAILING).values_list("about", flat=True))
    for service in rows.order_by("place", "service")[:MOST_TOLD]:
        about = f"failing:{service.place_id}:{service.place.generation}"
        if about not in told:
            _tell_deployer(service.place, service.reason, about)
            told.add(about)


def _tell_deployer(place: AppEnvironment, reason: Mapping[str, Any] | None, about: str) -> None:
    """Nobody, while a change is under way or has only just ended: its own end says what there is to say."""
    rows = Deployment.objects.filter(place=place, operation__requested_by__isnull=False)
    last = rows.select_related("operation").order_by("-number").first()
    if last is None or last.operation.active or last.operation.state == Operation.State.FAILED:
        return
    if not Operation.objects.filter(pk=last.operation_id, ended_at__lt=from_now(-FAILING_FOR)).exists():
        return
    path = _path(place.project.tenant.name, place.project.name, place.app.name)
    notices.tell(
        last.operation.requested_by,  # type: ignore[arg-type]  # filtered above
        FAILING,
        level=Notice.Level.BAD,
        params=_names(place.app.name, place.environment.name) | {"failure": reason},
        link=f"{reverse('app', kwargs=path)}?{urlencode({'environment': place.environment.name})}",
        tenant=place.tenant_id,
        project=place.project_id,
        about=about,
    )
