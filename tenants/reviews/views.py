"""Pages: the reviews of a tenant and beginning one; one review with its lines, answers, and its sealed result."""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import Actor, check, may
from core.errors import BadRequest, FieldProblem, PortalError
from tenants import selectors as places
from tenants.custom.resolving import title_at
from tenants.members.views import Where, page_context, projects_at
from tenants.models import Review, ReviewLine, Tenant
from tenants.profile.views import who
from tenants.reviews import sealing, selectors, services
from tenants.reviews.deciding import answerable, could_end, own
from tenants.reviews.forms import ReviewForm
from tenants.reviews.results import files_of
from tenants.reviews.several import Answered, answer_all
from tenants.reviews.words import Shown

form_page = require_http_methods(["GET", "HEAD", "POST"])
ROWS = 100
MOST = 100


@login_required
@form_page
def page(request: HttpRequest, tenant: str) -> HttpResponse:
    actor, home = _home(request, tenant)
    at = Where(actor, home, None, {"tenant": tenant})
    form = ReviewForm(request.POST if request.method == "POST" else None, tenant=at.tenant.pk, projects=projects_at(at))
    if form.is_bound:
        check(actor, "review.manage", home)
        if form.is_valid() and (made := _started(at, form)):
            messages.success(request, _("The review has begun. Whoever gives roles here is told."))
            return redirect("review", tenant=tenant, review=made.pk)
    found = list(selectors.reviews(actor, home).order_by("-created_at")[:MOST])
    if not found:
        check(actor, "member.view", home)
    counted = selectors.progress(actor, found)
    context = _context(at) | {
        "form": form,
        "reviews": [(one, counted[one.pk]) for one in found],
        "may_start": may(actor, "review.manage", home),
    }
    return render(request, "tenants/reviews/page.html", context, status=422 if form.is_bound else 200)


def _home(request: HttpRequest, tenant: str) -> tuple[Actor, Tenant]:
    actor, _user = who(request)
    return actor, places.tenant(actor, tenant)


def _context(at: Where) -> dict[str, Any]:
    """Tabs of the members' pages are only for who may see all members."""
    return page_context(at, "reviews") | {"no_tabs": not may(at.actor, "member.view", at.tenant)}


def _started(at: Where, form: ReviewForm) -> Review | None:
    """None where it was refused, which the form then says."""
    asked = form.cleaned_data
    try:
        target = places.grantable(at.actor, at.tenant, asked["project"] or None)
        return services.start(at.actor, target, name=asked["name"], ends_at=asked["ends_at"], roles=asked["roles"])
    except PortalError as error:
        for problem in error.errors or [FieldProblem("", error.code, f"{error.message} {error.hint}")]:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return None


@login_required
@require_safe
def one(request: HttpRequest, tenant: str, review: uuid.UUID) -> HttpResponse:
    actor, home = _home(request, tenant)
    return _one(request, actor, selectors.review(actor, home, review))


def _one(
    request: HttpRequest, actor: Actor, row: Review, *, problem: str = "", chosen: Collection[uuid.UUID] = ()
) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:100] for name in ("show", "q", "role", "after")}
    rows = selectors.lines(actor, row)
    roles = rows.order_by("role").values_list("role", flat=True).distinct()
    fitting = selectors.narrowed(actor, rows, show=asked["show"], search=asked["q"], role=asked["role"])
    if asked["after"].isascii() and asked["after"].isdigit():
        fitting = fitting.filter(number__gt=int(asked["after"][:9]))
    found = list(fitting.select_related("tenant", "grant")[: ROWS + 1])
    more = urlencode(asked | {"after": found[ROWS - 1].number}) if len(found) > ROWS else ""
    held = set(own(actor).values_list("pk", flat=True))
    mine = set(answerable(actor).filter(review=row).values_list("pk", flat=True))
    context = _context(Where(actor, row.tenant, None, {"tenant": row.tenant.name})) | {
        "review": row,
        "progress": selectors.progress(actor, [row])[row.pk],
        "answerers": selectors.by_answerer(actor, row),
        "mine": len(mine),
        "lines": [_shown(actor, row, line, mine, held, chosen) for line in found[:ROWS]],
        "ways": _ways(asked),
        "asked": asked,
        "roles": [(key, title_at(row.tenant_id, key)) for key in roles],
        "more": more,
        "running": row.state == Review.State.RUNNING,
        "verdict": sealing.verify(row) if row.sealed_at else None,
        "sees_result": may(actor, "member.view", row),
        "may_manage": may(actor, "review.manage", row),
        "problem": problem,
    }
    return render(request, "tenants/reviews/one.html", context, status=422 if problem else 200)


def _shown(
    actor: Actor,
    row: Review,
    line: ReviewLine,
    mine: set[uuid.UUID],
    held: set[uuid.UUID],
    chosen: Collection[uuid.UUID],
) -> Shown:
    running = row.state == Review.State.RUNNING
    place = (line.tenant_id, line.project_id, line.role)
    kept = running and line.state == ReviewLine.State.KEPT and line.grant_id not in held
    ends = (line.pk in mine or kept) and could_end(actor, place)
    return Shown(line, row.created_at, mine=line.pk in mine, may_end=ends, chosen=line.pk in chosen)


def _ways(asked: dict[str, str]) -> list[dict[str, Any]]:
    named = (
        ("", _("All")), ("mine", _("For me")), ("open", _("Open")), ("kept", _("Kept")), ("ended", _("Ended")),
        ("left", _("Not ended")),
    )  # fmt: skip
    rest = {name: asked[name] for name in ("q", "role") if asked[name]}
    return [
        {"label": label, "url": f"?{urlencode({'show': key, **rest})}", "current": asked["show"] == key}
        for key, label in named
    ]


@login_required
@require_POST
def answer(request: HttpRequest, tenant: str, review: uuid.UUID) -> HttpResponse:
    """Fields: `keep` or `drop` is a line's id, or "chosen" for all of `line`; `reason`."""
    actor, home = _home(request, tenant)
    row = selectors.review(actor, home, review)
    keep = "keep" in request.POST
    which = request.POST.get("keep" if keep else "drop", "")
    ids = [_id(text) for text in (request.POST.getlist("line") if which == "chosen" else [which])]
    lines = selectors.lines_named(actor, row, ids)
    done = answer_all(actor, lines, keep=keep, reason=request.POST.get("reason", "")[:500])
    _say(request, done, keep=keep)
    if done.refused or not lines:
        chosen = [line.pk for line, _error in done.refused]
        problem = _why(done) if lines else _("Choose at least one role.")
        return _one(request, actor, row, problem=problem, chosen=chosen)
    back = urlencode({name: request.GET[name] for name in ("show", "q", "role", "after") if request.GET.get(name)})
    return redirect(f"{reverse('review', kwargs={'tenant': tenant, 'review': review})}?{back}")


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise BadRequest() from None


def _say(request: HttpRequest, done: Answered, *, keep: bool) -> None:
    count = len(done.done)
    if not count:
        return
    kept = ngettext("%(count)s role is kept.", "%(count)s roles are kept.", count)
    elsewhere = sum(line.state == ReviewLine.State.ELSEWHERE for line in done.done)
    ended = ngettext("%(count)s role is ended.", "%(count)s roles are ended.", count - elsewhere)
    if keep or count > elsewhere:
        messages.success(request, (kept if keep else ended) % {"count": count - (0 if keep else elsewhere)})
    if elsewhere:
        said = ngettext(
            "%(count)s role is to be ended in the identity service.",
            "%(count)s roles are to be ended in the identity service.",
            elsewhere,
        )
        messages.warning(request, said % {"count": elsewhere})


def _why(done: Answered) -> str:
    """The reasons of what was refused, each once, with whose role it is."""
    said: dict[str, list[str]] = {}
    for line, error in done.refused:
        text = str(error.errors[0].message) if error.errors else f"{error.message} {error.hint}"
        said.setdefault(text, []).append(line.person)
    return " ".join(f"{', '.join(people)}: {text}" for text, people in said.items())


@login_required
@require_POST
def close(request: HttpRequest, tenant: str, review: uuid.UUID) -> HttpResponse:
    actor, home = _home(request, tenant)
    services.close(actor, selectors.review(actor, home, review))
    messages.success(request, _("The review is closed and its result sealed."))
    return redirect("review", tenant=tenant, review=review)


@login_required
@require_POST
def call_off(request: HttpRequest, tenant: str, review: uuid.UUID) -> HttpResponse:
    actor, home = _home(request, tenant)
    services.call_off(actor, selectors.review(actor, home, review), reason=request.POST.get("reason", "")[:500])
    messages.success(request, _("The review is called off. What nobody answered stays as it is."))
    return redirect("review", tenant=tenant, review=review)


@login_required
@require_safe
def result(request: HttpRequest, tenant: str, review: uuid.UUID) -> HttpResponse:
    """?format=jsonl (the default) or csv."""
    actor, home = _home(request, tenant)
    row = selectors.review(actor, home, review)
    check(actor, "member.view", row)
    data, type_, name = files_of(row, request.GET.get("format", "jsonl"))
    headers = {"Content-Disposition": content_disposition_header(True, name), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(data, content_type=type_, headers=headers)
