"""Whom a cluster is offered to, and removing one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.clusters.left import bound_there
from apps.clusters.removing import remove as remove_it
from apps.clusters.services import offer_cluster, remove_cluster
from apps.selectors.offered import offered
from apps.views.cluster_forms import MOST_TENANTS, OfferForm, RemoveForm
from apps.views.cluster_reach import form_page
from apps.views.found import actor_of
from audit.commands import check_before
from backends.models import Cluster
from core import access
from core.access import Actor, get_visible, visible
from core.errors import PortalError
from tenants.models import Tenant


def found(request: HttpRequest, cluster: str) -> tuple[Actor, Cluster]:
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    return actor, get_visible(actor, Cluster.objects.all(), name=cluster)


@login_required
@form_page
def offer(request: HttpRequest, cluster: str) -> HttpResponse:
    """Say which tenants may put environments on a cluster."""
    actor, row = found(request, cluster)
    check_before(offer_cluster, actor, row)
    now = offered(row)
    rows = visible(actor, Tenant.objects.all()).order_by("name")
    listed = list(rows.values_list("name", flat=True)[: MOST_TENANTS + 1])
    names = sorted({*listed[:MOST_TENANTS], *now.tenants})
    first = {
        "whom": OfferForm.EVERYONE if now.everyone else OfferForm.SOME,
        "tenants": now.tenants,
        "version": row.version,
    }
    form = OfferForm(request.POST if request.method == "POST" else None, names=names, initial=first)
    if form.is_bound and form.is_valid():
        try:
            offer_cluster(actor, row, **form.asked)
        except PortalError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
        else:
            messages.success(request, _("Who may use %(name)s is saved.") % {"name": row.name})
            return redirect("cluster", cluster=row.name)
    context = {"cluster": row, "form": form, "more": len(listed) > MOST_TENANTS, "now": now}
    return render(request, "apps/clusters/offer.html", context, status=422 if form.errors else 200)


@login_required
@form_page
def remove(request: HttpRequest, cluster: str) -> HttpResponse:
    """Forget a cluster where nothing of ours is left."""
    actor, row = found(request, cluster)
    check_before(remove_cluster, actor, row)
    form = RemoveForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            remove_it(actor, row, **form.cleaned_data)
        except PortalError as error:
            for one in error.errors:
                form.add_error("typed_name", str(one.message))
            if not error.errors:
                form.add_error(None, f"{error.message} {error.hint}".strip())
        else:
            messages.success(request, _("%(name)s is removed.") % {"name": row.name})
            return redirect("clusters")
    bound, count = bound_there(row)
    context = {"cluster": row, "form": form, "bound": bound, "more": count - len(bound)}
    return render(request, "apps/clusters/remove.html", context, status=422 if form.errors else 200)
