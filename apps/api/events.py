"""What happened to an app in an environment, over HTTP."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.shapes import EventOutput
from apps.selectors import events, listing
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing
from core.api.paging import page_of as rows_of
from core.api.schema import page_of


class EventQuery(Listing):
    kind = serializers.ChoiceField(
        choices=events.KINDS, required=False, help_text="Only what operations tell, or what became of instances."
    )


class Events(View):
    @endpoint("list_events", query=EventQuery, answers={200: page_of(EventOutput)})
    def get(self, request: Request, **names: str) -> Response:
        """What happened here in plain words, newest first; the same trouble again and again is one event."""
        fetch = events.fetcher(listing.place(self.actor, names), self.query.get("kind", ""))
        return Response(rows_of(self.slip("-happened_at", "-id"), fetch, show=events.shown_all))
