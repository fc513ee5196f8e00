"""Clusters over HTTP; for platform operators."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.cluster_inputs import ClusterChange, ClusterInput, OfferInput, RemovalInput, RightsQuery
from apps.api.cluster_shapes import (
    ClusterOutput,
    ClusterRehearsal,
    HealthOutput,
    HostOutput,
    OfferOutput,
    RightsOutput,
)
from apps.clusters import checking, connecting
from apps.clusters.connecting import Asked
from apps.clusters.removing import remove
from apps.clusters.services import offer_cluster, register_cluster, update_cluster
from apps.selectors.offered import Offered, offered
from backends import selectors
from backends.connecting import PARTS, rights
from backends.contract import Checkup
from backends.models import Cluster
from core import access
from core.api.endpoint import View, endpoint
from core.api.inputs import Change, Listing, Searchable
from core.api.paging import page
from core.api.rehearsal import rehearse
from core.api.schema import page_of
from core.api.searching import matching
from core.secrets import Secret
from operations.api.changes import ChangeView


def asked_of(sent: dict[str, Any]) -> tuple[Asked, dict[str, Any]]:
    """How a cluster is to be reached, and the rest of what was sent."""
    rest = dict(sent)
    parts = {name: rest.pop(name) for name in PARTS if name in rest}
    if "client_key" in parts:
        parts["client_key"] = Secret(parts["client_key"])  # so that nothing on its way shows it
    credentials, context = rest.pop("credentials", ""), rest.pop("context_name", "")
    return Asked(rest.pop("kind", ""), credentials, context, parts or None), rest


def found_answer(found: Checkup) -> Response:
    """What a rehearsal says."""
    return Response(
        {
            "dry_run": True,
            "ready": found.passed,
            "findings": [one.as_json() for one in checking.told(found)],
            "engine_version": found.version,
            "hosts": found.hosts,
            "hosts_ready": found.hosts_ready,
        }
    )


class Clusters(ChangeView):
    remembered = False  # a fingerprint of a key is kept nowhere; a name is taken only once

    @endpoint("list_clusters", query=Searchable, answers={200: page_of(ClusterOutput)})
    def get(self, request: Request) -> Response:
        """Every cluster you may see, and whether it answers."""
        rows = selectors.clusters(self.actor).filter(matching(self.query, "name", "title"))
        return Response(page(self.slip("name", "id"), rows, show=selectors.shown_clusters))

    @endpoint(
        "register_cluster",
        query=Change,
        body=ClusterInput,
        answers={201: ClusterOutput, 200: ClusterRehearsal},
        problems=(429,),
    )
    def post(self, request: Request) -> Response:
        """Connect a cluster that answers as it should; with `dry_run` only tell what a check finds."""
        asked, named = asked_of(self.sent)
        if not self.query["dry_run"]:
            made, _found = connecting.connect(self.actor, asked, **named)
            return self.made(made, selectors.shown_cluster)
        found, kind, columns = connecting.look(self.actor, asked)
        if found.passed:
            rehearse(lambda: register_cluster(self.actor, None, kind=kind, found=found, **named, **columns))
        return found_answer(found)


class OneCluster(ChangeView):
    @endpoint("show_cluster", answers={200: ClusterOutput})
    def get(self, request: Request, cluster: str) -> Response:
        """One cluster as it was last seen."""
        return self.one(selectors.shown_cluster(selectors.cluster(self.actor, cluster)))

    @endpoint("update_cluster", body=ClusterChange, answers={200: ClusterOutput}, problems=(429,), versioned=True)
    def patch(self, request: Request, cluster: str) -> Response:
        """Change its title, or how it is reached once it answers so. A key goes to no other address than its own."""
        row = selectors.cluster(self.actor, cluster)
        asked, named = asked_of(self.sent)
        if asked.credentials or asked.parts:
            changed = connecting.renew(self.actor, row, asked, version=self.expected_version, **named)
        else:
            changed = update_cluster(self.actor, row, version=self.expected_version, **named)
        return self.one(selectors.shown_cluster(changed))

    @endpoint("remove_cluster", body=RemovalInput, answers={204: None}, problems=(429,), versioned=True)
    def delete(self, request: Request, cluster: str) -> Response:
        """Forget a cluster where nothing of ours is left."""
        row = selectors.cluster(self.actor, cluster)
        remove(self.actor, row, version=self.expected_version, **self.sent)
        return Response(status=204)


class Check(ChangeView):
    remembered = False  # what is sent may hold a key

    @endpoint("check_cluster", body=ClusterChange, answers={200: ClusterRehearsal}, problems=(429,))
    def post(self, request: Request, cluster: str) -> Response:
        """Ask a cluster now, as it is reached or as it would be with what is sent; nothing is kept."""
        row = selectors.cluster(self.actor, cluster)
        asked, _named = asked_of(self.sent)
        return found_answer(connecting.look_again(self.actor, row, asked))


class Offer(ChangeView):
    @endpoint("show_cluster_offer", answers={200: OfferOutput})
    def get(self, request: Request, cluster: str) -> Response:
        """Which tenants may put environments on a cluster."""
        row = selectors.cluster(self.actor, cluster)
        return self._shown(row, offered(row))

    @endpoint("offer_cluster", body=OfferInput, answers={200: OfferOutput}, versioned=True)
    def put(self, request: Request, cluster: str) -> Response:
        """Offer a cluster to every tenant, to those named, or to nobody. Environments that are there stay."""
        row = selectors.cluster(self.actor, cluster)
        return self._shown(row, offer_cluster(self.actor, row, version=self.expected_version, **self.sent))

    def _shown(self, row: Cluster, offer: Offered) -> Response:
        return self.one(offer.as_json() | {"version": row.version})


class Rights(View):
    @endpoint("cluster_rights", query=RightsQuery, answers={200: RightsOutput})
    def get(self, request: Request) -> Response:
        """The account and the role that Berth needs on a cluster that is connected by `credentials`, to apply there."""
        access.check(self.actor, "cluster.view")
        return Response(rights(usage=self.query["usage"]))


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
