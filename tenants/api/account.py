"""One's own account over HTTP: sessions and notices. The profile itself is /me."""

import uuid
from functools import partial

from rest_framework.request import Request
from rest_framework.response import Response

from core.api.endpoint import endpoint
from core.api.inputs import Listing
from core.api.paging import page
from core.api.schema import page_of
from tenants import notices
from tenants.api import shapes
from tenants.api.views import OwnView
from tenants.profile import selectors, services


class Sessions(OwnView):
    @endpoint("list_sessions", query=Listing, answers={200: page_of(shapes.SessionOutput)})
    def get(self, request: Request) -> Response:
        """Where you are signed in with a browser."""
        show = partial(selectors.shown_sessions, self.actor)
        return Response(page(self.slip("-created_at", "id"), selectors.sessions(self.user), show=show))


class OneSession(OwnView):
    @endpoint("end_session", answers={204: None})
    def delete(self, request: Request, session: uuid.UUID) -> Response:
        """Sign one of your browsers out; what it has open closes within two seconds."""
        services.end_session(self.actor, self.user, session=selectors.session(self.user, session))
        return Response(status=204)


class Notices(OwnView):
    @endpoint("list_notices", query=shapes.NoticeListing, answers={200: page_of(shapes.NoticeOutput)})
    def get(self, request: Request) -> Response:
        """What became of what you began, and what needs you; newest first."""
        rows = notices.plain_rows(self.actor, unread=bool(self.query.get("unread")))
        return Response(page(self.slip("-id"), rows, show=notices.shown))


class NoticesRead(OwnView):
    @endpoint("read_notices", body=shapes.NoticesReadInput, answers={200: shapes.NoticesReadOutput})
    def post(self, request: Request) -> Response:
        """Mark notices as read."""
        return Response({"read": notices.read(self.actor, ids=self.sent.get("ids"))})
