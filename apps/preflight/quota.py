"""Does it fit into what project and tenant may hold? The command decides again, at the moment it is accepted."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps import reserving
from apps.preflight.finding import Finding
from apps.preflight.plan import Plan, at
from core.wording import bytes_text, cores_text
from tenants.quota.claiming import EXCEEDED, Shortage, limited, shortages
from tenants.quota.models import Quota
from tenants.quota.resources import Resource, amount_text, label_of, left_text


def check_quota(plan: Plan) -> Iterator[Finding]:
    """What is left, before anything is tried; a red line leads to where more is asked for."""
    where = reserving.where_of(plan.place)
    rows = limited(where)
    if not rows:
        yield Finding("ok", "no_quota", _("No limit is set for %(project)s.") % {"project": plan.place.project.name})
        return
    needs = reserving.planned(plan.place, plan.spec)
    short = shortages(plan.place.pk, where, needs)
    for one in short:
        yield _short(plan, one)
    if fits := [row for row in _tightest(rows) if row.resource not in {one.quota.resource for one in short}]:
        yield _fits(fits, needs)
    yield from _unsaid(plan, {row.resource for row in rows})


def _tightest(rows: list[Quota]) -> list[Quota]:
    """Of each resource of a deployment the row, the project's or the tenant's, that has less left."""
    kept: dict[str, Quota] = {}
    for row in rows:
        other = kept.get(row.resource)
        if row.resource not in (Resource.PROJECTS, Resource.IMAGES) and (
            other is None or (row.left or 0) < (other.left or 0)
        ):
            kept[row.resource] = row
    return list(kept.values())


def _fits(rows: list[Quota], needs: dict[str, int]) -> Finding:
    left = ", ".join(left_text(row.resource, row.left or 0, row.whole or 0) for row in rows)
    takes = ", ".join(
        _("%(resource)s %(amount)s") % {"resource": label_of(name), "amount": amount_text(name, needs.get(name, 0))}
        for name in (row.resource for row in rows)
    )
    return Finding("ok", "quota", left, hint=_("This takes, in all: %(amounts)s.") % {"amounts": takes})


def _short(plan: Plan, one: Shortage) -> Finding:
    """`link`: the quota page, with the question filled in as far as it is known."""
    project, resource = plan.place.project, one.quota.resource
    wanted = (one.quota.limit or 0) + one.needed - (one.quota.left or 0)
    asked = {"ask": "more", "resource": resource, "limit": str(wanted)}
    asked |= {"project": project.name} if one.quota.project_id else {}
    link = f"{reverse('quota', kwargs={'tenant': project.tenant.name})}?{urlencode(asked)}"
    hint = _("Take less, stop something first, or ask for more.")
    return Finding("bad", EXCEEDED, one.message(), hint=hint, button=_("Ask for more"), link=link)


def _unsaid(plan: Plan, counted: set[str]) -> Iterator[Finding]:
    """A service without limits counts with a fixed share, but could take all there is."""
    shares = {
        Resource.CPU: ("cpus", cores_text(reserving.UNSAID_MILLICORES), f"{reserving.UNSAID_MILLICORES / 1000:g}"),
        Resource.MEMORY: ("memory", bytes_text(reserving.UNSAID_BYTES), f"{reserving.UNSAID_BYTES >> 20}Mi"),
    }
    for resource in (name for name in shares if name in counted):
        key, said, written = shares[resource]
        for name, service in plan.spec.services.items():
            resources = service.deploy.resources
            if getattr(resources.limits, key) or getattr(resources.reservations, key):
                continue
            path = at(name, "deploy", "resources", "limits", key)
            words = {"service": name, "resource": label_of(resource), "amount": said}
            text = _("%(service)s says no limit of %(resource)s; each instance counts as %(amount)s.") % words
            hint = _("It may use more than that, at the cost of others.")
            button = _("Limit it to %(amount)s") % words
            yield Finding("warn", "limit_unsaid", text, path, hint, {path: written}, button)
