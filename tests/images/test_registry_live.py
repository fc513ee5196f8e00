"""The real registry with the clients people use: who comes in, who pushes, pulls and deletes, and a deployment."""

import base64
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from apps.images.removing import remove, take_tag_off
from apps.models import AppEnvironment, ClusterOffer
from apps.services import create_app, create_environment, deploy
from apps.specification import from_image
from audit.models import AuditEntry
from backends.contract import DriverError, ReasonCode
from backends.models import Cluster
from backends.registry import driver_for
from images import tasks
from images.models import Artifact, RegistryEvent, Repository, Tag
from images.registry import accounts, client, signing
from images.registry.scopes import REPOSITORY, Scope
from images.repositories import selectors
from launcher.processes import until
from operations.models import Operation
from tenants.models import Token
from tenants.robots.services import create_robot, create_robot_token
from tests.conftest import PASSWORD, Cast, Wakeups
from tests.engine import LiveEngine
from tests.images.real import Clients
from tests.images.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

SECONDS = 60
WEB, STORE = "acme/shop/web", "globex/store/web"


@pytest.fixture
def clients(stage: Stage) -> Clients:
    return stage.clients


def told(action: str) -> None:
    """Once the registry has told of it, a worker's look at it."""
    assert until(lambda: RegistryEvent.objects.filter(action=action).exists(), seconds=SECONDS)
    tasks.take_in()


def refused(done: Any) -> bool:
    said = (done.stdout + done.stderr).lower()
    return done.returncode != 0 and ("denied" in said or "unauthorized" in said)


def test_login_push_and_pull_as_the_roles_say(clients: Clients, cast: Cast) -> None:
    assert refused(clients.login("developer", "not the password"))
    assert refused(clients.put(WEB)), "nobody is logged in"
    login = clients.login("developer", PASSWORD)
    assert login.returncode == 0, login.stderr
    assert PASSWORD not in (clients.home / "docker" / "config.json").read_text()
    push = clients.put(WEB)
    assert push.returncode == 0, push.stdout + push.stderr
    assert refused(clients.put(STORE)), "of another tenant"
    assert refused(clients.put("acme/nothing/web")), "of no project at all"
    assert clients.login("guest", PASSWORD).returncode == 0
    assert clients.fetch(WEB).returncode == 0
    assert refused(clients.put(WEB, "2"))
    assert clients.login("outsider", PASSWORD).returncode == 0
    foreign, nothing = clients.fetch(WEB), clients.fetch("acme/shop/nothing")
    assert refused(foreign)
    assert foreign.stderr.replace(WEB, "…") == nothing.stderr.replace("acme/shop/nothing", "…")
    assert clients.docker("logout", clients.address).returncode == 0
    assert refused(clients.fetch(WEB))


def test_what_was_pushed_and_deleted_is_known_with_who_did_it(clients: Clients, cast: Cast) -> None:
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(WEB).returncode == 0
    told("push")
    home = Repository.objects.get(path=WEB)
    assert (home.project, home.tenant, home.name) == (cast.shop, cast.acme, f"{clients.address}/{WEB}")
    tag = Tag.objects.select_related("artifact").get(repository=home)
    assert (tag.name, tag.moved_by, tag.artifact.pushed_by) == ("1", "developer", "developer")
    assert tag.artifact.ports == ["8080/tcp"]
    assert tag.artifact.size_bytes == pytest.approx(sum(layer["size"] for layer in tag.artifact.layers), rel=0.2)
    entry = AuditEntry.objects.get(action="image.push")
    assert (entry.actor_id, entry.project_id, entry.detail["tag"]) == (cast.developer.pk, cast.shop.pk, "1")
    tasks.look_at_registry()
    assert AuditEntry.objects.filter(action="image.push").count() == 1, "looking again finds nothing new"

    source = f"docker://{clients.image(WEB)}"
    plain = ("--tls-verify=false", "--creds")
    assert refused(clients.skopeo("delete", *plain, f"developer:{PASSWORD}", source))
    gone = clients.skopeo("delete", *plain, f"owner:{PASSWORD}", source)
    assert gone.returncode == 0, gone.stderr
    told("delete")
    assert not Artifact.objects.filter(repository=home).exists()
    assert AuditEntry.objects.get(action="image.delete").actor_id == cast.owner.pk


def test_what_was_never_told_is_found(clients: Clients, cast: Cast) -> None:
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(WEB).returncode == 0
    assert clients.put(WEB, "2", of="berth/hello:2").returncode == 0
    assert until(lambda: RegistryEvent.objects.count() >= 2, seconds=SECONDS)
    RegistryEvent.objects.all().delete()
    tasks.look_at_registry()
    assert set(Tag.objects.values_list("repository__path", "name", "moved_by")) == {(WEB, "1", ""), (WEB, "2", "")}


def test_a_tag_is_taken_off_and_an_image_is_deleted_there(clients: Clients, cast: Cast) -> None:
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(WEB).returncode == 0
    assert clients.put(WEB, "2").returncode == 0
    assert clients.put(WEB, "other", of="berth/hello:2").returncode == 0
    assert until(lambda: RegistryEvent.objects.filter(tag="other").exists(), seconds=SECONDS)
    tasks.take_in()
    home, owner = Repository.objects.get(path=WEB), cast.actor("owner")
    digest = Tag.objects.select_related("artifact").get(repository=home, name="1").artifact.digest
    take_tag_off(owner, home, tag="1")
    assert sorted(client.tags(WEB)) == ["2", "other"]
    assert client.digest_of(WEB, "2") == digest, "another tag of the same image stays"
    tasks.take_in()
    tasks.look_at_registry()
    assert set(Tag.objects.values_list("name", flat=True)) == {"2", "other"}
    assert Artifact.objects.count() == 2, "of what took the tag off nothing is left"
    remove(owner, home, digest=digest)
    assert sorted(client.tags(WEB)) == ["other"]
    assert client.manifest(WEB, digest) is None
    tasks.look_at_registry()
    assert set(Tag.objects.values_list("name", flat=True)) == {"other"}
    assert set(AuditEntry.objects.filter(action__in=("image.untag", "image.delete")).values_list("actor_name")) == {
        ("owner",)
    }


def test_pulls_are_told_and_counted(clients: Clients, cast: Cast) -> None:
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(WEB).returncode == 0
    told("push")
    source = f"docker://{clients.image(WEB)}"
    for number in range(2):  # to where nothing lies yet: an engine that has it already only asks which one it is
        fetched = clients.skopeo(
            "copy", "--src-tls-verify=false", "--src-creds", f"guest:{PASSWORD}", source, f"dir:{clients.home}/{number}"
        )
        assert fetched.returncode == 0, fetched.stderr
    row = Artifact.objects.get(repository__path=WEB)
    assert until(lambda: selectors.pulls(row).ever >= 2, seconds=SECONDS)
    assert selectors.steps(row)
    assert row.configuration


def test_programs_come_with_tokens(clients: Clients, cast: Cast) -> None:
    _row, mine = Token.objects.create(cast.developer, name="laptop")
    robot = create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.guest")
    robots = create_robot_token(cast.actor("owner"), robot, name="pull")[1].reveal()
    assert clients.login("developer", mine).returncode == 0
    assert clients.put(WEB).returncode == 0
    assert clients.login("ci", robots).returncode == 0
    assert clients.fetch(WEB).returncode == 0
    assert refused(clients.put(WEB, "2"))
    copied = clients.skopeo(
        "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--src-creds", f"ci:{robots}",
        "--dest-creds", f"developer:{mine}", f"docker://{clients.image(WEB)}", f"docker://{clients.image(WEB, '3')}",
    )  # fmt: skip
    assert copied.returncode == 0, copied.stderr
    seen = clients.skopeo("inspect", "--tls-verify=false", "--creds", f"ci:{robots}", f"docker://{clients.image(WEB)}")
    assert sorted(json.loads(seen.stdout)["RepoTags"]) == ["1", "3"]
    Token.objects.filter(user=cast.developer).delete()
    assert refused(
        clients.skopeo("inspect", "--tls-verify=false", "--creds", f"x:{mine}", f"docker://{clients.image(WEB)}")
    )


def look(stage: Stage, token: str) -> int:
    """The registry's answer to whoever shows this token."""
    url = f"{stage.registry.url}/v2/{WEB}/tags/list"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_the_registry_believes_nobody_else(stage: Stage, cast: Cast) -> None:
    assert stage.clients.login("developer", PASSWORD).returncode == 0
    assert stage.clients.put(WEB).returncode == 0
    good = signing.issue("person:x", [Scope(REPOSITORY, WEB, ("pull",))])
    assert look(stage, good) == 200
    key = load_pem_private_key(stage.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    said = jwt.decode(good, options={"verify_signature": False})
    name = {"kid": signing.key_name(key)}
    now = int(time.time())
    foreign = ec.generate_private_key(ec.SECP256R1())
    certificate = (stage.registry.state.keys / "registry_certificate").read_bytes()
    wider = good.split(".")
    claims = said | {"access": [{"type": "repository", "name": STORE, "actions": ["pull", "push"]}]}
    wider[1] = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    forged: dict[str, str] = {
        "foreign key": jwt.encode(said, foreign, algorithm="ES256", headers={"kid": signing.key_name(foreign)}),
        "foreign key, our name": jwt.encode(said, foreign, algorithm="ES256", headers=name),
        "none": jwt.encode(said, None, algorithm="none", headers=name),
        "HS256 with the certificate": hs256(said, certificate, name),
        "RS256": jwt.encode(said, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers=name),
        "other audience": jwt.encode(said | {"aud": "other-registry"}, key, algorithm="ES256", headers=name),
        "other issuer": jwt.encode(said | {"iss": "somebody"}, key, algorithm="ES256", headers=name),
        "too old": jwt.encode(said | {"exp": now - 120, "nbf": now - 500}, key, algorithm="ES256", headers=name),
        "not yet": jwt.encode(said | {"nbf": now + 600, "exp": now + 900}, key, algorithm="ES256", headers=name),
        "of another repository": signing.issue("person:x", [Scope(REPOSITORY, STORE, ("pull", "push"))]),
        "of nothing": signing.issue("person:x", []),
        "widened afterwards": ".".join(wider),
        "empty": "",
    }
    assert {how: look(stage, token) for how, token in forged.items()} == dict.fromkeys(forged, 401)


def hs256(said: dict[str, Any], secret: bytes, name: dict[str, str]) -> str:
    """As the library would not write it: signed with what everybody may know."""
    import hmac

    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"} | name, said)]
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    mark = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


@pytest.fixture
def place(cast: Cast, engine: LiveEngine) -> Iterator[AppEnvironment]:
    """`hello` of shop, in an environment on the real engine."""
    cluster = Cluster.objects.create(
        name="real", kind=Cluster.Kind.SWARM, address=engine.url, reachable_at=engine.address, state=Cluster.State.READY
    )
    ClusterOffer.objects.create(cluster=cluster)
    made = create_environment(cast.actor("owner"), cast.shop, name="real", stage="dev", cluster=cluster)
    app = create_app(cast.actor("developer"), cast.shop, name="hello")
    place = app.places.select_related("app", "environment__cluster", "project", "release").get(environment=made)
    yield place
    driver = driver_for(cluster)
    for ref in driver.services(place.engine_name):
        assert until(lambda ref=ref: driver.remove(ref), seconds=SECONDS)


@pytest.fixture
def deployed(cast: Cast, place: AppEnvironment, wakeups: Wakeups) -> Callable[[str], Operation]:
    def bring(image: str) -> Operation:
        place.refresh_from_db()
        operation = deploy(
            cast.actor("developer"), place, spec=from_image(image, name="web", instances=1, ports=[8080])
        )
        end = time.monotonic() + SECONDS
        while operation.state in Operation.ACTIVE and time.monotonic() < end:
            wakeups.ids.append(str(operation.pk))
            wakeups.drain(most=2000)
            operation.refresh_from_db()
        return operation

    return bring


def test_a_pushed_image_is_deployed_by_the_account_of_its_environment(
    clients: Clients, cast: Cast, place: AppEnvironment, deployed: Callable[[str], Operation]
) -> None:
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(WEB).returncode == 0
    clients.docker("logout", clients.address)
    clients.docker("rmi", "--no-prune", clients.image(WEB))
    done = deployed(clients.image(WEB))
    assert done.state == Operation.State.SUCCEEDED, done.failure
    held = json.loads(clients.docker("service", "ls", "--format", "{{json .}}").stdout.splitlines()[0])
    assert held["Image"].startswith(f"{clients.address}/{WEB}@sha256:")
    told("push")
    assert Artifact.objects.get(repository__path=WEB).digest == held["Image"].rpartition("@")[2]


def test_an_image_of_another_tenant_is_not_deployed(
    clients: Clients, cast: Cast, place: AppEnvironment, deployed: Callable[[str], Operation]
) -> None:
    """Though the engine holds it, because somebody else's hosts fetched it there."""
    assert clients.login("outsider", PASSWORD).returncode == 0
    assert clients.put(STORE).returncode == 0
    told("push")
    done = deployed(clients.image(STORE))
    assert done.state == Operation.State.FAILED
    assert done.failure is not None
    assert done.failure["code"] == "image_denied"


def test_the_engine_asks_as_whoever_it_is_told_to_be(clients: Clients, cast: Cast, place: AppEnvironment) -> None:
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(WEB).returncode == 0
    driver = driver_for(place.environment.cluster)
    own = accounts.credentials_for(cast.shop, place="ea")
    other = accounts.credentials_for(cast.store, place="eb")
    assert driver.resolve_image(clients.image(WEB), pull=own).pinned.startswith(f"{clients.address}/{WEB}@")
    for pull in (other, None):
        with pytest.raises(DriverError) as found:
            driver.resolve_image(clients.image(WEB), pull=pull)
        assert found.value.reason.code == ReasonCode.IMAGE_DENIED
