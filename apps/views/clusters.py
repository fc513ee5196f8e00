"""The operators' page: every cluster, how it is, and the hosts behind it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.selectors.clusters import cluster_lines
from apps.views.answers import shown
from apps.views.found import actor_of
from backends.models import Cluster
from core import access
from core.access import visible


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    rows = visible(actor, Cluster.objects.prefetch_related("hosts")).order_by("name")
    lines = cluster_lines(list(rows))
    context = {"lines": lines, "well": sum(line.well for line in lines)}
    return shown(request, "clusters/page", context, part="clusters/_list")
