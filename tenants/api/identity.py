"""The identity service over HTTP; for platform operators."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from core import access
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing
from core.api.paging import page
from core.api.schema import page_of
from operations.api.changes import ChangeView
from tenants.api import identity_shapes as shapes
from tenants.identity import selectors, services


class Mappings(ChangeView):
    @endpoint("list_role_mappings", query=Listing, answers={200: page_of(shapes.MappingOutput)})
    def get(self, request: Request) -> Response:
        """Which role of Keystone gives which of Berth."""
        access.check(self.actor, "identity.manage")
        return Response(page(self.slip("-id"), selectors.mappings(self.actor)))

    @endpoint("add_role_mapping", body=shapes.MappingInput, answers={201: shapes.MappingOutput}, repeatable=True)
    def post(self, request: Request) -> Response:
        """Let a role of Keystone give one of Berth. `admin` is refused."""
        made = services.add_mapping(self.actor, None, **self.sent)
        return self.made(made, selectors.shown_mapping, key="id")


class OneMapping(ChangeView):
    @endpoint("remove_role_mapping", answers={204: None})
    def delete(self, request: Request, mapping: uuid.UUID) -> Response:
        """What was given by it ends at once."""
        services.remove_mapping(self.actor, None, mapping=selectors.mapping(self.actor, mapping))
        return Response(status=204)


class Drift(View):
    @endpoint("show_identity_drift", answers={200: shapes.DriftOutput})
    def get(self, request: Request) -> Response:
        """Where Keystone and Berth differ at this moment."""
        access.check(self.actor, "identity.manage")
        return Response(selectors.drift().as_json())


class Mend(ChangeView):
    @endpoint("mend_identity_drift", answers={202: None})
    def post(self, request: Request) -> Response:
        """Write what is not written yet, and follow Keystone now."""
        services.mend(self.actor, None)
        return Response(status=202)
