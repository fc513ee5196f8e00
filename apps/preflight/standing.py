"""Whether the project is one in which anything may be changed at all."""

from collections.abc import Iterator

from apps.preflight.finding import Finding
from apps.preflight.plan import Plan
from tenants.lifecycle import next_step, why_closed
from tenants.models import Project


def check_standing(plan: Plan) -> Iterator[Finding]:
    project = plan.place.project
    if project.state != Project.State.ACTIVE:
        yield Finding("bad", "project_not_active", why_closed(project), "environment", next_step(project))
