"""What the cluster of an environment is given for a release, over HTTP."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.inputs import label
from apps.selectors import listing
from apps.selectors.given import GivenWords, given
from core.api.endpoint import View, endpoint
from core.api.inputs import Query


class GivenQuery(Query):
    environment = label(help_text="For which environment, and so for which cluster.")


class GivenDocument(serializers.Serializer[None]):
    kind = serializers.CharField()
    name = serializers.CharField()
    service = serializers.CharField(help_text="Empty: it belongs to the environment.")
    document = serializers.DictField()


class GivenOutput(serializers.Serializer[None]):
    """Values of variables and contents of secrets are covered by dots, always as many."""

    speaks = serializers.CharField(help_text="What such documents are called.")
    serves = serializers.BooleanField(help_text="False: they would be given once this release is deployed there.")
    documents = GivenDocument(many=True)
    why_not = serializers.CharField(help_text="Why there are none; else empty.")
    hint = serializers.CharField()


class ReleaseGiven(View):
    @endpoint("show_given", query=GivenQuery, answers={200: GivenOutput})
    def get(self, request: Request, number: int, **names: str) -> Response:
        """What the cluster of an environment is given for this release, in the cluster's own words."""
        place = listing.place(self.actor, names | {"environment": self.query["environment"]})
        return self.one(_shown(given(place, listing.release(place.app, number))))


def _shown(found: GivenWords) -> dict[str, object]:
    documents = [
        {"kind": one.kind, "name": one.name, "service": one.service, "document": one.document}
        for one in found.documents
    ]
    return {
        "speaks": found.speaks,
        "serves": found.serves,
        "documents": documents,
        "why_not": found.why_not,
        "hint": found.hint,
    }
