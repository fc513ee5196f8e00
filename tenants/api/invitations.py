"""Invitations over HTTP."""

import uuid

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.access import check
from core.api.endpoint import endpoint
from operations.api.changes import ChangeView
from tenants import selectors as places
from tenants.api import member_shapes as shapes
from tenants.api.shapes import GrantOutput
from tenants.api.views import OwnView
from tenants.invitations import selectors, services
from tenants.invitations.links import invitation_of
from tenants.selectors import shown_grant


class Invitations(ChangeView):
    remembered = False  # the answer holds the link

    @endpoint("list_invitations", answers={200: shapes.InvitationsOutput})
    def get(self, request: Request, tenant: str) -> Response:
        """Invitations that nobody has used yet, the newest 200."""
        home = places.tenant(self.actor, tenant)
        check(self.actor, "member.view", home)
        rows = selectors.waiting(self.actor, home)[: selectors.MOST]
        return self.one({"results": [selectors.shown(row) for row in rows]})

    @endpoint("invite", body=shapes.InvitationInput, answers={201: shapes.NewInvitationOutput})
    def post(self, request: Request, tenant: str) -> Response:
        """Make a link that gives a role once: the only answer that ever shows it."""
        home = places.tenant(self.actor, tenant)
        check_before(services.invite, self.actor, home)
        target = places.grantable(self.actor, home, self.sent.pop("project", None))
        row, secret = services.invite(self.actor, target, **self.sent)
        link = request.build_absolute_uri(reverse("invitation", args=[secret.reveal()]))
        return self.made(row, lambda made: selectors.shown(made) | {"link": link}, key="id")


class OneInvitation(ChangeView):
    @endpoint("revoke_invitation", answers={204: None})
    def delete(self, request: Request, tenant: str, invitation: uuid.UUID) -> Response:
        """Take an invitation back: its link opens nothing any more."""
        row = selectors.one(self.actor, places.tenant(self.actor, tenant), invitation)
        services.revoke_invitation(self.actor, row)
        return Response(status=204)


class Accepted(OwnView):
    @endpoint("accept_invitation", body=shapes.AcceptInput, answers={201: GrantOutput})
    def post(self, request: Request) -> Response:
        """Accept an invitation by the last part of its link."""
        grant = services.accept(self.actor, invitation_of(self.sent["link"]))
        return self.one(shown_grant(grant), status=201)
