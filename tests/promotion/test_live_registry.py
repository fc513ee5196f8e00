"""On a real registry and a real Swarm: what is approved can be fetched and run for its stage, and nothing else."""

import hashlib
import json
import secrets
import time
from collections.abc import Iterator

import pytest

from apps.gate import CODE
from apps.models import AppEnvironment, ClusterOffer
from apps.services import create_app, create_environment, deploy
from apps.specification import from_image
from backends.contract import Credentials, DriverError, ReasonCode
from backends.models import Cluster
from backends.registry import driver_for
from core.errors import Invalid
from images import tasks
from images.models import Artifact
from images.promotion import places, services
from images.promotion.models import Approval
from images.registry import accounts, client, scopes
from images.registry.scopes import REPOSITORY, Scope
from launcher.processes import until
from launcher.registry import Berth
from operations.models import Operation
from tests.conftest import PASSWORD, Cast, Wakeups
from tests.engine import LiveEngine, engine
from tests.images.real import Clients
from tests.images.stage import Stage, stage

__all__ = ["engine", "stage"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
SECONDS = 60
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def web() -> str:
    """A repository of this test alone: for a while an engine asks nobody for a manifest that it once got from there."""
    return f"acme/shop/web-{secrets.token_hex(4)}"


@pytest.fixture
def clients(stage: Stage) -> Clients:
    return stage.clients


def refused(clients: Clients, *words: str) -> bool:
    """Whether this is denied. What only took too long, as on a machine that does much else, is asked for again."""
    told: list[str] = []

    def said_so() -> bool:
        done = clients.docker(*words)
        told.append((done.stdout + done.stderr).lower())
        assert done.returncode != 0, (words, told)
        return "denied" in told[-1] or "unauthorized" in told[-1]

    assert until(said_so, seconds=SECONDS, every=0.5), (words, told)
    return True


def fetched(clients: Clients, reference: str) -> bool:
    return until(lambda: clients.docker("pull", reference).returncode == 0, seconds=SECONDS, every=0.5)


@pytest.fixture
def prod(cast: Cast, engine: LiveEngine) -> Iterator[AppEnvironment]:
    """`hello` of shop, in a second production on the real engine."""
    cluster = Cluster.objects.create(
        name="real", kind=Cluster.Kind.SWARM, address=engine.url, reachable_at=engine.address, state=Cluster.State.READY
    )
    ClusterOffer.objects.create(cluster=cluster)
    made = create_environment(cast.actor("owner"), cast.shop, name="real", stage="prod", cluster=cluster)
    app = create_app(cast.actor("developer"), cast.shop, name="hello")
    rows = app.places.select_related("app", "environment__cluster", "project__tenant", "release")
    place = rows.get(environment=made)
    yield place
    driver = driver_for(cluster)
    for ref in driver.services(place.engine_name):
        assert until(lambda ref=ref: driver.remove(ref), seconds=SECONDS)


@pytest.fixture
def images(clients: Clients, cast: Cast, web: str) -> list[Artifact]:
    """Two images that the developer pushed; the second is of another digest."""
    services.set_policy(cast.actor("owner"), cast.shop, stage="prod")
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(web, "1", of="berth/hello:1").returncode == 0
    assert clients.put(web, "2", of="berth/hello:2").returncode == 0
    clients.docker("logout", clients.address)
    assert until(lambda: _both(web), seconds=SECONDS)
    return [Artifact.objects.get(tags__name=tag, repository__path=web) for tag in ("1", "2")]


def _both(web: str) -> bool:
    tasks.take_in()
    return Artifact.objects.filter(repository__path=web).count() == 2


def approve(cast: Cast, image: Artifact) -> Approval:
    request = services.ask(cast.actor("developer"), cast.shop, stage="prod", artifact=image)
    services.approve(cast.actor("releaser"), request)
    row = Approval.objects.get(digest=image.digest)
    assert until(lambda: _laid(row), seconds=SECONDS, every=0.2)
    row.refresh_from_db()
    return row


def credentials(place: AppEnvironment) -> Credentials:
    found = accounts.credentials_for(place.project, place=place.environment.engine_name, stage=place.environment.stage)
    assert found is not None
    return found


def test_the_stages_account_fetches_what_is_approved_and_nothing_else(
    clients: Clients, cast: Cast, prod: AppEnvironment, images: list[Artifact], web: str
) -> None:
    shown, laid = credentials(prod), places.path_of(cast.shop.pk, "prod")
    assert clients.login(shown.username, shown.password.reveal()).returncode == 0
    for one in images:
        assert refused(clients, "pull", f"{clients.address}/{web}@{one.digest}")
    row = approve(cast, images[0])
    clients.docker("rmi", "--no-prune", clients.image(web, "1"), clients.image(web, "2"))
    assert fetched(clients, f"{clients.address}/{laid}@{images[0].digest}")
    assert clients.docker("pull", f"{clients.address}/{laid}@{images[1].digest}").returncode != 0
    for one in images:
        assert refused(clients, "pull", f"{clients.address}/{web}@{one.digest}")
    assert clients.docker("tag", "berth/hello:2", f"{clients.address}/{laid}:1").returncode == 0
    assert refused(clients, "push", f"{clients.address}/{laid}:1")
    services.suspend(cast.actor("releaser"), row, reason="a hole was found")
    assert until(lambda: not _laid(row), seconds=SECONDS, every=0.2)
    assert client.manifest(laid, images[0].digest) is None
    ask = ("inspect", "--raw", "--tls-verify=false", "--creds", f"{shown.username}:{shown.password.reveal()}")
    there = f"docker://{clients.address}/{laid}@{images[0].digest}"
    assert clients.skopeo(*ask, there).returncode != 0  # the engine would not even ask: it held the image already
    approve(cast, images[0])
    assert until(lambda: clients.skopeo(*ask, there).returncode == 0, seconds=SECONDS, every=0.5)


def test_nobody_else_fetches_from_there_nor_puts_anything_there(
    clients: Clients, cast: Cast, prod: AppEnvironment, images: list[Artifact]
) -> None:
    approve(cast, images[0])
    laid = f"{clients.address}/{places.path_of(cast.shop.pk, 'prod')}"
    foreign = accounts.credentials_for(cast.store, place="e" + "a" * 20, stage="prod")
    dev = accounts.credentials_for(cast.shop, place="e" + "b" * 20, stage="dev")
    assert foreign is not None
    assert dev is not None
    people = [(name, PASSWORD) for name in ("owner", "developer", "releaser", "outsider", "operator")]
    for name, secret in [*people, *((one.username, one.password.reveal()) for one in (foreign, dev))]:
        assert clients.login(name, secret).returncode == 0
        assert refused(clients, "pull", f"{laid}@{images[0].digest}"), name
        clients.docker("tag", "berth/hello:2", f"{laid}:1")
        assert refused(clients, "push", f"{laid}:1"), name


def test_an_image_for_several_platforms_is_laid_out_whole(
    clients: Clients, cast: Cast, prod: AppEnvironment, images: list[Artifact], web: str
) -> None:
    one = client.written(web, images[0].digest)
    assert one is not None
    part: dict[str, object] = {"mediaType": one.kind, "digest": images[0].digest, "size": len(one.content)}
    part["platform"] = {"os": "linux", "architecture": "amd64"}
    content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [part]}).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert client.write(web, digest, client.Written(INDEX, content))
    home = images[0].repository
    image = Artifact.objects.create(repository=home, digest=digest, pinned=f"{home.name}@{digest}")
    approve(cast, image)
    laid, shown = places.path_of(cast.shop.pk, "prod"), credentials(prod)
    assert clients.login(shown.username, shown.password.reveal()).returncode == 0
    assert fetched(clients, f"{clients.address}/{laid}@{digest}")


def test_only_what_is_approved_is_deployed_and_by_its_own_account(
    clients: Clients, cast: Cast, prod: AppEnvironment, images: list[Artifact], web: str, wakeups: Wakeups
) -> None:
    clients.docker("rmi", "--no-prune", clients.image(web, "1"), clients.image(web, "2"))
    spec = from_image(clients.image(web), name="web", instances=1, ports=[8080])
    with pytest.raises(Invalid) as early:
        deploy(cast.actor("releaser"), prod, spec=spec)
    assert early.value.errors[0].code == CODE
    approve(cast, images[0])
    operation = deploy(cast.actor("releaser"), prod, spec=spec)
    _work(wakeups, operation)
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    held = json.loads(clients.docker("service", "ls", "--format", "{{json .}}").stdout.splitlines()[0])
    assert held["Image"] == f"{clients.address}/{places.path_of(cast.shop.pk, 'prod')}@{images[0].digest}"
    with pytest.raises(DriverError) as closed:
        driver_for(prod.environment.cluster).resolve_image(clients.image(web), pull=credentials(prod))
    assert closed.value.reason.code == ReasonCode.IMAGE_DENIED


def test_while_the_registry_is_stopped_an_approval_waits_and_is_laid_out_once_it_is_back(
    stage: Stage, cast: Cast, images: list[Artifact]
) -> None:
    stage.registry.stop()
    request = services.ask(cast.actor("developer"), cast.shop, stage="prod", artifact=images[0])
    services.approve(cast.actor("releaser"), request)
    row = Approval.objects.get(digest=images[0].digest)
    assert not _laid(row)
    start_again(stage)
    assert until(lambda: _laid(row), seconds=SECONDS)


def start_again(stage: Stage) -> None:
    registry = stage.registry
    held = json.loads((registry.folder / "config.json").read_text())
    realm, events = held["auth"]["token"]["realm"], held["notifications"]["endpoints"][0]["url"]
    registry.start(registry.url.partition("://")[2].rpartition(":")[0], Berth(realm, events))


def _laid(row: Approval) -> bool:
    tasks.lay_out()
    return Approval.objects.filter(pk=row.pk, laid=True).exists()


def _work(wakeups: Wakeups, operation: Operation) -> None:
    end = time.monotonic() + SECONDS
    while operation.state in Operation.ACTIVE and time.monotonic() < end:
        wakeups.ids.append(str(operation.pk))
        wakeups.drain(most=2000)
        operation.refresh_from_db()


def test_the_scope_of_a_stage_is_given_to_its_account_alone(
    cast: Cast, prod: AppEnvironment, stage: Stage, web: str
) -> None:
    path, shown = places.path_of(cast.shop.pk, "prod"), credentials(prod)
    actor = accounts.actor_of(shown.password.reveal())
    assert actor is not None
    wanted = [Scope(REPOSITORY, path, ("pull", "push", "delete")), Scope(REPOSITORY, web, ("pull",))]
    assert scopes.granted(actor, wanted) == [
        Scope(REPOSITORY, path, ("pull",)),
        Scope(REPOSITORY, web, ("pull",)),
    ]  # without a policy
    services.set_policy(cast.actor("owner"), cast.shop, stage="prod")
    again = accounts.actor_of(shown.password.reveal())
    assert again is not None
    assert scopes.granted(again, wanted) == [Scope(REPOSITORY, path, ("pull",))]
