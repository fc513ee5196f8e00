"""A registry that does not know the account of an environment any more: the same sentence as on every cluster."""

import base64
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

import pytest

from apps.models import AppEnvironment
from apps.selectors.reasons import failure_sentence
from apps.services import deploy
from apps.specification import from_image
from backends.contract import ImageInfo
from backends.kubernetes.client import ApiServer
from backends.models import Cluster
from images.registry.accounts import credentials_for
from images.services import offer_image
from launcher.kubernetes.registry import GUARDED_PORT, push
from launcher.processes import until
from launcher.sample_images import images
from operations.models import Operation
from tests.apps.far import SECONDS, Deployed, deployed, east, ended, place, pods, workload
from tests.cluster import LiveCluster, kubernetes, of_its_own
from tests.conftest import Cast, Wakeups

__all__ = ["deployed", "east", "kubernetes", "place"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db(transaction=True)]

KEPT = ("Content-Type", "Content-Length", "Docker-Content-Digest")


@dataclass
class Guarded:
    """Before the cluster's registry: whoever shows none of the known accounts gets nothing."""

    behind: str
    known: set[str] = field(default_factory=set)
    refused: int = 0
    address: str = ""

    def lets_in(self, header: str) -> bool:
        kind, _space, shown = header.partition(" ")
        fine = kind == "Basic" and base64.b64decode(shown).decode() in self.known
        self.refused += not fine
        return fine

    def asked(self, path: str, method: str, accept: str) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(f"http://{self.behind}{path}", headers={"Accept": accept}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                return (
                    answer.status,
                    {name: answer.headers[name] for name in KEPT if answer.headers[name]},
                    answer.read(),
                )
        except HTTPError as error:
            return error.code, {}, error.read()


def handler_of(guard: Guarded) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not guard.lets_in(self.headers.get("Authorization", "")):
                self._answer(401, {"WWW-Authenticate": 'Basic realm="registry"'}, b"")
                return
            self._answer(*guard.asked(self.path, self.command, self.headers.get("Accept", "*/*")))

        do_HEAD = do_GET  # noqa: N815  the library's name

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            """Nobody reads it."""

    return Handler


@pytest.fixture
def guarded(kubernetes: LiveCluster, settings: Any) -> Iterator[Guarded]:
    """Berth's registry, as far as the portal and the cluster's hosts know."""
    if not kubernetes.registry:
        pytest.skip("NOT RUN: the cluster is not the project's own, so its hosts ask no registry over plain HTTP")
    machine = kubernetes.registry.partition(":")[0]
    guard = Guarded(kubernetes.registry, address=f"{machine}:{GUARDED_PORT}")
    server = ThreadingHTTPServer((machine, GUARDED_PORT), handler_of(guard))
    settings.REGISTRY = settings.REGISTRY | {"url": f"http://{guard.address}"}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield guard
    server.shutdown()
    server.server_close()


def shown_by(place: AppEnvironment) -> str:
    """What the environment's hosts show to the registry."""
    found = credentials_for(place.project, place=place.environment.engine_name, stage=place.environment.stage)
    assert found is not None
    return f"{found.username}:{found.password.reveal()}"


def offered(cast: Cast, guard: Guarded, digest: str) -> None:
    """In the list with its digest, so that nobody asks the registry before the hosts do."""
    name = f"{guard.address}/shop/refused"
    info = ImageInfo(reference=f"{name}:2", pinned=f"{name}@{digest}", digest=digest, ports=("8080/tcp",))
    cluster = Cluster.objects.get(name="east")
    offer_image(cast.actor("operator"), cluster, repository=name, tag="2", info=info)


@pytest.mark.parametrize("pinned", [False, True], ids=["while it is pinned", "while its hosts fetch it"])
def test_an_account_that_was_taken_back_fails_the_release_and_leaves_what_served(
    cast: Cast,
    place: AppEnvironment,
    guarded: Guarded,
    deployed: Deployed,
    kubernetes: LiveCluster,
    wakeups: Wakeups,
    pinned: bool,
) -> None:
    one, two, *_others = map(of_its_own, images())
    push(kubernetes.registry, one, name="shop/allowed", tag="1")
    second = push(kubernetes.registry, two, name="shop/refused", tag="2")
    guarded.known.add(shown_by(place))
    first = deployed(f"{guarded.address}/shop/allowed:1")
    assert first.state == Operation.State.SUCCEEDED, first.failure
    assert guarded.refused >= 1, "hosts show nothing before they are asked"
    api = ApiServer(kubernetes.access)
    before = pods(api, place)

    guarded.known.clear()
    if pinned:
        offered(cast, guarded, second)
    place.refresh_from_db()
    image = f"{guarded.address}/shop/refused:2"
    spec = from_image(image, name="web", instances=2, ports=[8080])
    failed = ended(deploy(cast.actor("developer"), place, spec=spec), wakeups)
    assert failed.state == Operation.State.FAILED
    assert failed.failure is not None
    assert (failed.failure["code"], failed.failure["params"]["image"]) == ("image_denied", image)
    told = failure_sentence(failed.failure)
    assert told.sentence == f"The registry does not hand out the image `{image}` to this project."
    assert told.hint == "Check the name, or ask for the right to pull it."
    place.refresh_from_db()
    assert place.release is not None
    assert place.release.number == 1
    assert until(lambda: before == pods(api, place), seconds=SECONDS), "those that served before never left"
    assert workload(api, place)["status"]["readyReplicas"] == 2
