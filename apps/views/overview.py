"""The overview of a project: every app in every environment, and what happened today."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.selectors.board import Asked, Board, Row, Step, board_of, today
from apps.selectors.history import told_of
from apps.selectors.reasons import failure_sentence
from apps.selectors.state import operation_status
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.found import actor_of, project_of
from core.status import Kind
from tenants.lifecycle import why_closed
from tenants.models import Project

ATTENTION = "attention"
LONGEST_SEARCH = 60
SPARKED = (Kind.BAD, Kind.WARN, Kind.STALE)  # kinds that colour a spark; all others leave it grey
DEPLOYERS = ("app.deploy", "app.test", "app.release")


@login_required
@require_safe
def overview(request: HttpRequest, tenant: str, project: str) -> HttpResponse:
    context = overview_context(request, project_of(request, tenant, project))
    return shown(request, "overview/page", context, part="overview/_board")


def overview_context(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What the overview shows; the deploy sheet stands over the same page."""
    actor = actor_of(request)
    links = Links(project)
    asked = Asked(
        search=request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
        attention=request.GET.get("show") == ATTENTION,
        cursor=request.GET.get("cursor", ""),
    )
    board = board_of(actor, project, asked)
    return {
        "project": project,
        "board": board,
        "asked": asked,
        "heads": list(board.columns),
        "rows": [_row(row, links) for row in board.rows],
        "ways": _ways(board, asked, links.project),
        "today": [_told(deployment, links) for deployment in today(actor, project)],
        "links": links,
        "fragment": request.get_full_path() if request.path == links.project else links.project,
        "why_not_deploy": why_not(actor, DEPLOYERS, project),
        "closed": why_closed(project) if project.state != Project.State.ACTIVE else "",
    }


@dataclass(frozen=True)
class Links:
    """Addresses inside one project."""

    of: Project

    @property
    def names(self) -> dict[str, str]:
        return {"tenant": self.of.tenant.name, "project": self.of.name}

    @property
    def project(self) -> str:
        return reverse("project", kwargs=self.names)

    @property
    def activity(self) -> str:
        return reverse("activity", kwargs=self.names)

    def app(self, name: str, environment: str = "") -> str:
        address = reverse("app", kwargs=self.names | {"app": name})
        return f"{address}?{urlencode({'environment': environment})}" if environment else address

    def timeline(self, app: str, environment: str) -> str:
        address = reverse("timeline", kwargs=self.names | {"app": app})
        return f"{address}?{urlencode({'environment': environment, 'show': 'trouble'})}"

    def deployment(self, app: str, number: int) -> str:
        return reverse("deployment", kwargs=self.names | {"app": app, "number": number})

    def deploy(self, **query: str | int) -> str:
        address = reverse("deploy", kwargs=self.names)
        return f"{address}?{urlencode(query)}" if query else address


def _ways(board: Board, asked: Asked, address: str) -> list[dict[str, Any]]:
    """All apps, or only those that need a look; what is searched for stays."""
    needing = f"{board.needing}+" if board.cut else str(board.needing)
    return [
        {
            "label": label % {"count": count},
            "url": _asking(address, q=asked.search, show=show),
            "current": asked.attention == bool(show),
        }
        for label, count, show in (
            (_("All %(count)s"), board.apps, ""),
            (_("Needs attention %(count)s"), needing, ATTENTION),
        )
    ]


def _asking(address: str, **query: str) -> str:
    kept = {name: value for name, value in query.items() if value}
    return f"{address}?{urlencode(kept)}" if kept else address


def _row(row: Row, links: Links) -> dict[str, Any]:
    return {
        "name": row.app.title or row.app.name,
        "url": links.app(row.app.name),
        "services": row.services,
        "steps": [_step(step, links) for step in row.steps],
    }


def _step(step: Step, links: Links) -> dict[str, Any]:
    card, app = step.card, step.card.place.app.name
    between = {"first": step.before is None, "lift": _lift(step, links) if step.lifts else None}
    if card.empty:
        return between | _absent(step, links)
    return between | {
        "card": card,
        "url": links.app(app, card.environment.name),
        "why": links.deployment(app, card.deployment.number) if card.shows_why and card.deployment else "",
        "why_label": _("watch it") if card.state.status.kind is Kind.BUSY else _("see why"),
        "spark_kind": card.state.status.kind.value if card.state.status.kind in SPARKED else "",
        "timeline": links.timeline(app, card.environment.name) if card.restarts else "",
    }


def _absent(step: Step, links: Links) -> dict[str, Any]:
    """Where an app is not: most places of a large project, so no more is made ready than is shown."""
    environment, app = step.card.environment, step.card.place.app.name
    return {
        "environment": environment,
        "absent": _("Not in %(environment)s yet") % {"environment": environment.name},
        "deploy": links.deploy(app=app, environment=environment.name) if step.allowed else "",
    }


def _lift(step: Step, links: Links) -> dict[str, Any]:
    source = step.before.place.release if step.before else None
    if source is None:
        return {}
    app, environment = step.card.place.app.name, step.card.environment.name
    words = {"release": source.number, "environment": environment, "app": app}
    return {
        "label": _("Deploy release %(release)s of %(app)s to %(environment)s") % words,
        "url": links.deploy(app=app, environment=environment, release=source.number),
        "ready": step.ready,
    }


def _told(deployment: Any, links: Links) -> dict[str, Any]:
    words = {"told": told_of(deployment), "app": deployment.app.name, "environment": deployment.environment.name}
    status = operation_status(deployment.operation)
    return {
        "text": _("%(app)s in %(environment)s: %(told)s") % words,
        "url": links.deployment(deployment.app.name, deployment.number),
        "at": deployment.created_at,
        "kind": status.glyph,
        "detail": failure_sentence(deployment.operation.failure).sentence
        or ("" if status.kind is Kind.OK else status.word),
    }
