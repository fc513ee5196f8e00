"""Requests that somebody decides, over HTTP."""

import uuid
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response

from core.api.endpoint import endpoint
from operations.api.changes import ChangeView
from tenants import selectors as places
from tenants.api import member_shapes as shapes
from tenants.api.shapes import GrantOutput
from tenants.breakglass.services import break_glass
from tenants.members.selectors import shown_grant
from tenants.models import Project
from tenants.models import Request as AskedFor
from tenants.requests import selectors, services
from tenants.requests.registry import words_of

MOST = 200


def shown(row: AskedFor) -> dict[str, Any]:
    named = ("id", "kind", "payload", "reason", "state", "created_at", "expires_at", "decided_at", "decision_reason")
    return {name: getattr(row, name) for name in named} | {
        "tenant": row.tenant.name,
        "project": row.project.name if row.project else None,
        "asked_by": row.asked_by.get_username(),
        "decided_by": row.decided_by.get_username() if row.decided_by else None,
        "words": words_of(row),
    }


class Requests(ChangeView):
    @endpoint("list_requests", query=shapes.RequestsQuery, answers={200: shapes.RequestsOutput})
    def get(self, request: Request, tenant: str) -> Response:
        """The newest 200 requests you may see: your own, those you may decide, those of members you may see."""
        rows = selectors.of_tenant(self.actor, places.tenant(self.actor, tenant)).order_by("-created_at")
        if state := self.query.get("state"):
            rows = rows.filter(state=state)
        return self.one({"results": [shown(row) for row in rows[:MOST]]})

    @endpoint("ask", body=shapes.RequestInput, answers={201: shapes.RequestOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Ask for a role for a while, to join, or for more quota; whoever may decide it is told."""
        home = places.tenant(self.actor, tenant)
        target = places.grantable(self.actor, home, self.sent.pop("project", None))
        return self.made(services.ask(self.actor, target, **self.sent), shown, key="id")


class OfRequest(ChangeView):
    def row(self, tenant: str, asked: uuid.UUID) -> AskedFor:
        return selectors.one(self.actor, asked, tenant=tenant)


class OneRequest(OfRequest):
    @endpoint("show_request", answers={200: shapes.RequestOutput})
    def get(self, request: Request, tenant: str, asked: uuid.UUID) -> Response:
        """One request."""
        return self.one(shown(self.row(tenant, asked)))


class Approve(OfRequest):
    @endpoint("approve_request", body=shapes.DecisionInput, answers={200: shapes.RequestOutput})
    def post(self, request: Request, tenant: str, asked: uuid.UUID) -> Response:
        """Approve what another person asked for; it is carried out at once."""
        row = self.row(tenant, asked)
        services.approve(self.actor, row, **self.sent)
        return self.one(shown(self.row(tenant, asked)))


class Reject(OfRequest):
    @endpoint("reject_request", body=shapes.DecisionInput, answers={200: shapes.RequestOutput})
    def post(self, request: Request, tenant: str, asked: uuid.UUID) -> Response:
        """Reject what another person asked for; they are told your reason."""
        services.reject(self.actor, self.row(tenant, asked), **self.sent)
        return self.one(shown(self.row(tenant, asked)))


class Withdraw(OfRequest):
    @endpoint("withdraw_request", answers={200: shapes.RequestOutput})
    def post(self, request: Request, tenant: str, asked: uuid.UUID) -> Response:
        """Take back what you asked for."""
        services.withdraw(self.actor, self.row(tenant, asked))
        return self.one(shown(self.row(tenant, asked)))


class MyNeeds(ChangeView):
    @endpoint("my_needs", answers={200: shapes.NeedsOutput})
    def get(self, request: Request) -> Response:
        """What needs you: requests you may decide, roles of yours that end within a week, running reviews."""
        found = selectors.needs(self.actor)
        requests, ending = [shown(row) for row in found.requests], [shown_grant(grant) for grant in found.ending]
        reviews = [{"review_id": row.pk, "name": row.name, "tenant": row.tenant.name, "ends_at": row.ends_at, "open": n}
                   for row, n in found.reviews]  # fmt: skip
        count = selectors.needs_count(self.actor)
        return self.one({"count": count, "requests": requests, "ending": ending, "reviews": reviews})


class BreakGlass(ChangeView):
    @endpoint("break_glass", body=shapes.BreakGlassInput, answers={201: GrantOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Take a role of a project at once, for hours; owners only. Owners and auditors are told and look at it."""
        home = places.tenant(self.actor, tenant)
        target = places.grantable(self.actor, home, self.sent.pop("project"))
        grant = break_glass(self.actor, cast(Project, target), **self.sent)
        return self.one(places.shown_grant(grant), status=201)
