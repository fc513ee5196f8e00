"""Connecting a cluster and giving it new credentials, page by page: give, choose, see what a check finds, save."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.clusters import checking, connecting
from apps.clusters.carried import opened, sealed
from apps.clusters.connecting import Asked
from apps.clusters.services import register_cluster, update_cluster
from apps.views.cluster_forms import FILES, LARGEST, ReachForm
from apps.views.found import actor_of
from audit.commands import check_before
from backends.connecting import WAYS, Way, contexts, rights, way_for, way_of
from backends.contract import Checkup, UnusableError
from backends.models import Cluster
from core import access
from core.access import Actor, get_visible
from core.errors import NotFound, PortalError
from core.secrets import Secret

SAVE = "save"
form_page = require_http_methods(["GET", "HEAD", "POST"])


@dataclass
class Reach:
    """One step of the form. Nothing secret comes out of it but sealed."""

    actor: Actor
    way: Way
    form: ReachForm
    given: dict[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None
    found: Checkup | None = None
    choosing: bool = False  # a context has to be chosen before anything is asked

    @classmethod
    def of(cls, request: HttpRequest, actor: Actor, way: Way, cluster: Cluster | None = None) -> "Reach":
        if request.method != "POST":
            return cls(actor, way, ReachForm(way=way, cluster=cluster), cluster=cluster)
        form = ReachForm(request.POST, request.FILES, way=way, cluster=cluster)
        given = opened(actor, request.POST.get("carried", "")) | given_in(request, way)
        return cls(actor, way, form, given, cluster)

    def asked(self) -> Asked | None:
        """What there is to check; None: something has to be chosen or given first."""
        if not self.form.is_valid():
            return None
        if not self.way.by_file:
            parts: dict[str, Any] = {"address": self.form.cleaned_data["address"]} | self.given
            if "client_key" in parts:
                parts["client_key"] = Secret(parts["client_key"])
            return Asked(self.way.kind, parts=parts)
        text = self.given.get("credentials", "")
        if not text:
            self.form.add_error("credentials", _("Choose its file or paste its text."))
            return None
        return Asked(self.way.kind, text, name) if (name := self._context(text)) is not None else None

    def _context(self, text: str) -> str | None:
        """The chosen one; "" where there is no choice; None while it has to be chosen."""
        try:
            names = contexts(text)
        except UnusableError as error:
            raise checking.unusable(error) from error
        if len(names) < 2:
            return ""
        self.form.offer(names)
        name = str(self.form.data.get("context_name", ""))
        self.choosing = name not in names
        return None if self.choosing else name

    def refuse(self, error: PortalError) -> None:
        """Beside the field that it is about, else above all."""
        for one in error.errors:
            self.form.add_error(
                one.field if one.field in self.form.fields else None, f"{one.message} {one.hint}".strip()
            )
        if not error.errors:
            self.form.add_error(None, f"{error.message} {error.hint}".strip())

    def page(self, request: HttpRequest) -> HttpResponse:
        context = {
            "reach": self,
            "way": self.way,
            "form": self.form,
            "cluster": self.cluster,
            "carried": sealed(self.actor, self.given),
            "found": self.found,
            "findings": checking.told(self.found) if self.found else [],
            "rights": rights_text() if self.way.by_file else "",
        }
        refused = self.form.is_bound and bool(self.form.errors)
        response = render(request, "apps/clusters/way.html", context, status=422 if refused else 200)
        response.headers["Cache-Control"] = "no-store"
        return response


def given_in(request: HttpRequest, way: Way) -> dict[str, str]:
    """The texts of what was sent along; a file wins over what is in the field."""
    if way.by_file:
        text = _text(request, "file") or request.POST.get("credentials", "")
        return {"credentials": text} if text.strip() else {}
    return {name: text for name in FILES if (text := _text(request, name))}


def _text(request: HttpRequest, name: str) -> str:
    sent = request.FILES.get(name)
    if not isinstance(sent, UploadedFile) or not sent.size:
        return ""
    read: bytes = sent.read(LARGEST + 1)
    return read.decode("utf-8-sig", errors="replace")


def rights_text() -> str:
    return json.dumps(rights(usage=True), indent=2)


@login_required
@require_safe
def ways(request: HttpRequest) -> HttpResponse:
    """Which kinds of clusters can be connected, and how."""
    check_before(register_cluster, actor_of(request), None)
    return render(request, "apps/clusters/connect.html", {"ways": WAYS})


@login_required
@require_safe
def role(request: HttpRequest) -> HttpResponse:
    """The role that Berth needs, as a file to apply."""
    access.check(actor_of(request), "cluster.view")
    response = HttpResponse(rights_text(), content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="berth-rights.json"'
    return response


@login_required
@form_page
def connect(request: HttpRequest, way: str) -> HttpResponse:
    """Connect a cluster: checked first, and once more when it is saved."""
    actor, chosen = actor_of(request), way_of(way)
    check_before(register_cluster, actor, None)
    if chosen is None:
        raise NotFound()
    reach = Reach.of(request, actor, chosen)
    try:
        asked = reach.asked() if request.method == "POST" else None
        if asked and request.POST.get("go") == SAVE:
            told = reach.form.cleaned_data
            named = {name: told[name] for name in ("name", "title", "reachable_at", "everyone")}
            made, _found = connecting.connect(actor, asked, **named)
            messages.success(request, _("%(name)s is connected.") % {"name": made.name})
            return redirect("cluster", cluster=made.name)
        if asked:
            reach.found, _kind, _columns = connecting.look(actor, asked)
    except PortalError as error:
        reach.refuse(error)
    return reach.page(request)


@login_required
@form_page
def credentials(request: HttpRequest, cluster: str) -> HttpResponse:
    """Give a cluster new credentials, once it answers with them."""
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    row = get_visible(actor, Cluster.objects.all(), name=cluster)
    check_before(update_cluster, actor, row)
    reach = Reach.of(request, actor, way_for(row), row)
    try:
        asked = reach.asked() if request.method == "POST" else None
        if asked and request.POST.get("go") == SAVE:
            reachable = reach.form.cleaned_data["reachable_at"]
            connecting.renew(actor, row, asked, version=_version(request), reachable_at=reachable)
            messages.success(request, _("%(name)s is reached with the new credentials.") % {"name": row.name})
            return redirect("cluster", cluster=row.name)
        if asked:
            reach.found = connecting.look_again(actor, row, asked)
    except PortalError as error:
        reach.refuse(error)
    return reach.page(request)


def _version(request: HttpRequest) -> int:
    """Of the row when the form was drawn; of one that says none, no row's."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() else 0
