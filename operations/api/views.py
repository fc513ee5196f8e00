"""Operations over HTTP."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from core.api.endpoint import View, endpoint
from core.api.inputs import Change
from core.api.paging import page
from core.api.schema import page_of
from operations import selectors, services
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED, EventQuery, OperationEventOutput, OperationOutput, OperationQuery
from operations.models import Operation


class Operations(View):
    @endpoint("list_operations", query=OperationQuery, answers={200: page_of(OperationOutput)})
    def get(self, request: Request) -> Response:
        """The operations you may see, newest first."""
        rows = selectors.operations(self.actor, **_filters(self.query))
        return Response(page(self.slip("-id"), rows, show=selectors.shown_all))


def _filters(query: dict[str, Any]) -> dict[str, Any]:
    filters: dict[str, Any] = {
        name: query[name] for name in ("kind", "tenant_id", "project_id", "state") if name in query
    }
    if filters.get("state") == "active":
        del filters["state"]
        filters["state__in"] = Operation.ACTIVE
    return filters


class OneOperation(View):
    @endpoint("show_operation", answers={200: OperationOutput})
    def get(self, request: Request, operation: uuid.UUID) -> Response:
        """How far an operation is, and its result."""
        return self.one(selectors.shown_one(selectors.operation(self.actor, operation)))


class Events(View):
    @endpoint("list_operation_events", query=EventQuery, answers={200: page_of(OperationEventOutput)})
    def get(self, request: Request, operation: uuid.UUID) -> Response:
        """What happened in an operation, in order."""
        rows = selectors.events(selectors.operation(self.actor, operation)).filter(seq__gt=self.query.get("after", 0))
        return Response(page(self.slip("seq"), rows, show=selectors.shown_events))


class Cancel(ChangeView):
    @endpoint("cancel_operation", query=Change, answers=STARTED, repeatable=True)
    def post(self, request: Request, operation: uuid.UUID) -> Response:
        """Ask a running operation to stop and to go back to what ran before."""
        row = selectors.operation(self.actor, operation)
        return self.operate(lambda: services.cancel(self.actor, row))
