"""What is known to be wrong with packages, over HTTP; for platform operators, who bring newer data by a command."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import access
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing
from core.api.paging import page, plain
from core.api.schema import page_of
from core.clock import database_now
from images.models import AdvisoryFeed
from images.scanning.report import OLD
from images.scanning.selectors import feeds

FEED = ["ecosystem", "advisories", "newest", "imported_at", "source"]


class FeedOutput(serializers.Serializer[AdvisoryFeed]):
    """One ecosystem of which advisories were imported."""

    ecosystem = serializers.CharField()
    advisories = serializers.IntegerField()
    newest = serializers.DateTimeField(allow_null=True, help_text="When the newest of them was changed last.")
    imported_at = serializers.DateTimeField()
    file = serializers.CharField(allow_blank=True, help_text="By which they came last.")
    old = serializers.BooleanField(help_text="Older than two weeks: import newer ones.")


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    now = database_now()
    return [_shown(dict(row), now) for row in rows]


def _shown(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    file = row.pop("source")
    return row | {"file": file, "old": now - (row["newest"] or row["imported_at"]) > OLD}


class Feeds(View):
    @endpoint("list_advisory_feeds", query=Listing, answers={200: page_of(FeedOutput)})
    def get(self, request: Request) -> Response:
        """Of which ecosystems advisories are known, and how old they are. Of what is not here, nothing is clean."""
        access.check(self.actor, "cluster.view")
        return Response(page(self.slip("ecosystem"), plain(feeds(), *FEED), show=shown))
