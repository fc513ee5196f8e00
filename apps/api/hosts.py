"""One host of a cluster over HTTP: looked at, closed, emptied, opened; for platform operators."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.cluster_shapes import HostOutput
from apps.hosts import selectors, services
from backends.models import Host
from backends.selectors import HOST, shown_host
from core.api.endpoint import endpoint
from core.api.inputs import Change, Input
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED, OperationOutput
from operations.models import Operation
from operations.selectors import shown_one

LONGEST_REASON = 500


class HostReason(Input):
    reason = serializers.CharField(
        max_length=LONGEST_REASON, required=False, allow_blank=True, help_text="Why; it stands in the audit."
    )


class DrainInput(HostReason):
    leave_volumes = serializers.BooleanField(
        required=False, help_text="Move also services whose volumes stay on the host: elsewhere they begin empty."
    )


class OneHostOutput(HostOutput):
    """A host with what is there, and the operation at work on it."""

    instances = serializers.IntegerField()
    apps = serializers.IntegerField(help_text="Counted in each environment.")
    projects = serializers.IntegerField()
    tenants = serializers.IntegerField()
    services_with_one_instance = serializers.IntegerField()
    services_with_volumes = serializers.IntegerField()
    operation = OperationOutput(allow_null=True)


def shown(host: Host) -> dict[str, Any]:
    there, now = selectors.touched(host), selectors.under_way(host)
    return shown_host({name: getattr(host, name) for name in HOST}) | {
        "instances": there.instances,
        "apps": there.apps,
        "projects": there.projects,
        "tenants": there.tenants,
        "services_with_one_instance": there.alone,
        "services_with_volumes": there.volumes,
        "operation": shown_one(now) if now else None,
    }


class HostView(ChangeView):
    def act(self, deed: Callable[..., Operation], cluster: str, host: UUID) -> Response:
        row = selectors.host_of(self.actor, cluster, host)
        return self.operate(lambda: deed(self.actor, row, **self.sent))


class OneHost(HostView):
    @endpoint("show_host", answers={200: OneHostOutput})
    def get(self, request: Request, cluster: str, host: UUID) -> Response:
        """One host as it was last seen, with how much is there."""
        return self.one(shown(selectors.host_of(self.actor, cluster, host)))


class Cordon(HostView):
    @endpoint("cordon_host", query=Change, body=HostReason, answers=STARTED, repeatable=True)
    def post(self, request: Request, cluster: str, host: UUID) -> Response:
        """Close a host for new instances. What runs there stays."""
        return self.act(services.cordon, cluster, host)


class Uncordon(HostView):
    @endpoint("uncordon_host", query=Change, body=HostReason, answers=STARTED, repeatable=True)
    def post(self, request: Request, cluster: str, host: UUID) -> Response:
        """Open a host for new instances again. Nothing moves back by itself."""
        return self.act(services.uncordon, cluster, host)


class Drain(HostView):
    @endpoint("drain_host", query=Change, body=DrainInput, answers=STARTED, repeatable=True)
    def post(self, request: Request, cluster: str, host: UUID) -> Response:
        """Close a host and move all that runs there to others. The operation tells how far it is and what holds it."""
        return self.act(services.drain, cluster, host)
