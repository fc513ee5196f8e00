"""Clusters over HTTP; for platform operators."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps import clusters as services
from apps.api.cluster_shapes import ClusterChange, ClusterInput, ClusterOutput, HealthOutput, HostOutput
from backends import selectors
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing, Searchable
from core.api.paging import page
from core.api.schema import page_of
from core.api.searching import matching
from core.secrets import Secret
from operations.api.changes import ChangeView


def without_text(sent: dict[str, Any]) -> dict[str, Any]:
    """The key as a Secret, so that nothing on its way shows it."""
    return sent | ({"client_key": Secret(sent["client_key"])} if sent.get("client_key") else {})


class Clusters(ChangeView):
    remembered = False  # a fingerprint of a key is kept nowhere; a name is taken only once

    @endpoint("list_clusters", query=Searchable, answers={200: page_of(ClusterOutput)})
    def get(self, request: Request) -> Response:
        """Every cluster you may see, and whether it answers."""
        rows = selectors.clusters(self.actor).filter(matching(self.query, "name", "title"))
        return Response(page(self.slip("name", "id"), rows, show=selectors.shown_clusters))

    @endpoint("register_cluster", body=ClusterInput, answers={201: ClusterOutput})
    def post(self, request: Request) -> Response:
        """Make a cluster known; it is watched from then on."""
        made = services.register_cluster(self.actor, None, **without_text(self.sent))
        return self.made(made, selectors.shown_cluster)


class OneCluster(ChangeView):
    @endpoint("show_cluster", answers={200: ClusterOutput})
    def get(self, request: Request, cluster: str) -> Response:
        """One cluster as it was last seen."""
        return self.one(selectors.shown_cluster(selectors.cluster(self.actor, cluster)))

    @endpoint("update_cluster", body=ClusterChange, answers={200: ClusterOutput}, versioned=True)
    def patch(self, request: Request, cluster: str) -> Response:
        """Change how a cluster is reached. Another address forgets the key unless it is sent again."""
        row = selectors.cluster(self.actor, cluster)
        sent = without_text(self.sent)
        return self.one(
            selectors.shown_cluster(services.update_cluster(self.actor, row, version=self.expected_version, **sent))
        )

    @endpoint("remove_cluster", answers={204: None}, versioned=True)
    def delete(self, request: Request, cluster: str) -> Response:
        """Forget a cluster that no environment is bound to."""
        row = selectors.cluster(self.actor, cluster)
        self.check_unchanged(row)
        services.remove_cluster(self.actor, row)
        return Response(status=204)


class Hosts(View):
    @endpoint("list_hosts", query=Listing, answers={200: page_of(HostOutput)})
    def get(self, request: Request, cluster: str) -> Response:
        """The hosts of a cluster as they were last seen."""
        rows = selectors.hosts(selectors.cluster(self.actor, cluster))
        return Response(page(self.slip("name", "id"), rows, show=selectors.shown_hosts))


class Health(View):
    @endpoint("show_cluster_health", answers={200: HealthOutput})
    def get(self, request: Request, cluster: str) -> Response:
        """Whether a cluster answered when it was last looked at."""
        return self.one(selectors.health(selectors.cluster(self.actor, cluster)))
