"""The operators' pages: what is broken and whom it hurts, every cluster and how full it is, and one of them whole."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.selectors.cluster_places import places_there
from apps.selectors.cluster_troubles import Trouble, troubles_of
from apps.selectors.clusters import ClusterLine, HostLine, cluster_lines, sorted_hosts
from apps.selectors.offered import offered
from apps.views.answers import shown
from apps.views.found import actor_of
from backends.differences import volumes_said, ways
from backends.models import Cluster
from backends.registry import capabilities_of
from core import access
from core.access import get_visible, visible

MOST_HOSTS = 24  # of one cluster on the page of all; the fullest
BY_NAME = "name"


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    rows = visible(actor, Cluster.objects.prefetch_related("hosts")).order_by("name")
    lines = cluster_lines(list(rows))
    context = _context(request, lines, url=reverse("clusters"))
    return shown(request, "clusters/page", context, part="clusters/_list")


@login_required
@require_safe
def one(request: HttpRequest, cluster: str) -> HttpResponse:
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    row = get_visible(actor, Cluster.objects.prefetch_related("hosts"), name=cluster)
    lines = cluster_lines([row])
    context = _context(request, lines, url=reverse("cluster", args=[cluster]), every_host=True)
    own = ways(capabilities_of(row))
    more = {"line": lines[0], "there": places_there(row), "panel": context["panels"][0], "ways": own}
    more |= {"offered": offered(row), "volumes": volumes_said(capabilities_of(row), grow=row.volumes_grow)}
    return shown(request, "clusters/one", context | more, part="clusters/_one")


def _context(request: HttpRequest, lines: list[ClusterLine], *, url: str, every_host: bool = False) -> dict[str, Any]:
    by_name = request.GET.get("sort") == BY_NAME
    troubles = troubles_of(lines)
    return {
        "lines": lines,
        "may_manage": access.may(actor_of(request), "cluster.manage"),
        "well": sum(line.well for line in lines),
        "troubles": [_trouble(one) for one in troubles],
        "said": troubles[0].title if troubles else "",
        "tenants": len(frozenset().union(*(one.tenants for one in troubles))),
        "panels": [_hosts(line, by_name=by_name, every=every_host) for line in lines],
        "sorts": [
            {"label": _("Fullest"), "url": url, "current": not by_name},
            {"label": _("Name"), "url": f"{url}?sort={BY_NAME}", "current": by_name},
        ],
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {"trouble": trouble, "url": reverse("cluster", args=[trouble.cluster])}


def _hosts(line: ClusterLine, *, by_name: bool, every: bool) -> dict[str, Any]:
    """The hosts of a cluster that are shown, and how many are not."""
    found: list[HostLine] = sorted_hosts(line.hosts, by_name=by_name)
    kept = found if every else found[:MOST_HOSTS]
    url = reverse("cluster", args=[line.cluster.name])
    return {"line": line, "hosts": kept, "more": len(found) - len(kept), "url": url}
