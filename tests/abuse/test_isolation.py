"""What is another's looks exactly like what is not there, however it is asked for."""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.models import AppEnvironment, Deployment, Environment, ObservedInstance
from apps.observing import observe
from apps.services import create_app
from audit.models import AuditEntry
from backends.models import Cluster, Host
from console.models import ConsoleSession
from images.models import Artifact, Build, Excuse, Repository, Scan, Tag, Upload, Webhook, WebhookDelivery
from operations.models import Operation
from portal.api.reference import description
from tenants.custom.services import create_role
from tenants.factors.selectors import public_id
from tenants.groups.services import add_to_group, create_group
from tenants.identity.models import RoleMapping
from tenants.invitations.services import invite
from tenants.models import Grant, Session, Token, User
from tenants.models import Request as AskedFor
from tenants.quota.models import QuotaLoan
from tenants.requests import services
from tenants.reviews.services import start as start_review
from tenants.robots.services import create_robot
from tenants.services import create_project
from tests.conftest import Cast
from tests.images.known import promotion_of, rule_of
from tests.replication.known import replicated

pytestmark = pytest.mark.wide
Api = Callable[[str], APIClient]
P = "/api/v1/tenants/acme/projects/shop"
E = f"{P}/apps/hello/environments/dev"
DIGEST = "sha256:" + "a" * 64
OF_EACH_REQUEST = {"X-Request-ID", "Date", "Expires"}
RELEASE = "/api/v1/tenants/{tenant}/projects/{project}/apps/{app}/releases/{number}"
QUERY = {f"{RELEASE}/diff": "?with=1", f"{RELEASE}/given": "?environment=dev"}
BODIES: dict[str, dict[str, Any]] = {  # good ones, so that nothing but the address is in the way
    "requests": {"kind": "access", "payload": {"role": "tenant.member", "hours": 1}},
    "invitations": {"person": "x", "role": "tenant.member"},
    "break-glass": {"project": "shop", "role": "project.console", "hours": 1, "reason": "x"},
    "me/invitations": {"link": "x"},
    "remove": {"password": "x"},
    "lost-factors": {"reason": "x"},
    "groups": {"name": "x"},
    "members": {"person": "outsider"},
    "grants": {"subject": "outsider", "role": "tenant.member"},
    "projects": {"name": "x"},
    "apps": {"name": "x"},
    "deployments": {"environment": "dev", "release": 1},
    "environments": {"name": "x", "stage": "dev"},
    "rollback": {"release": 1},
    "scale": {"service": "web", "instances": 1},
    "consoles": {"instance": str(uuid.UUID(int=7))},
    "import": {"text": "services: {}"},
    "quota": {"limits": {"cpu": 4}},
    "loans": {"lender": "shop", "borrower": "x", "resource": "cpu", "amount": 1, "until": "2040-01-01T00:00:00Z"},
    "roles": {"name": "x", "level": "project", "permissions": ["app.view"]},
    "robots": {"name": "x", "role": "project.guest"},
    "tokens": {"name": "x", "robot": "ci"},
    "revoke": {"reason": "x"},
    "reviews": {"name": "x", "ends_at": (timezone.now() + timedelta(days=1)).isoformat()},
    "answers": {"lines": [str(uuid.UUID(int=7))], "answer": "keep"},
    "call-off": {"reason": "x"},
    "offer": {"everyone": True},
    "visibility": {"visible": "everyone"},
    "tag-rules": {"repositories": "*", "tags": "x*"},
    "retention": {"repositories": "x*", "newest": 1},
    "promotions": {"stage": "prod", "digest": DIGEST},
    "suspend": {"reason": "x"},
    "evidence": {"kind": "text", "passed": True, "text": "x"},
    "excuses": {"vulnerability": "CVE-2026-1", "reason": "nobody calls it", "until": "2026-12-01"},
    "webhooks": {"name": "x", "address": "https://127.0.0.1/", "events": ["pushed"]},
    "registries": {"name": "x", "address": "https://127.0.0.1"},
    "image-copies": {"image": "quay.io/x/y:1", "name": "x"},
    "replication": {"name": "x", "registry": "elsewhere", "direction": "pull"},
    "uploads": {"file_name": "web.tar", "size_bytes": 5000},
    "builds": {"repository": "web", "address": "https://127.0.0.1/x.git"},
    "build-rights": {"network": True},
}


@pytest.fixture
def known(running: AppEnvironment, cast: Cast) -> dict[str, str]:
    """Names and ids of acme, by the parts of addresses."""
    repository = Repository.objects.create(name="own", tenant=cast.acme, project=cast.shop, path="acme/shop/own")
    artifact = Artifact.objects.create(repository=repository, digest=DIGEST, pinned=f"own@{DIGEST}")
    Tag.objects.create(repository=repository, name="1", artifact=artifact)
    Scan.objects.create(artifact=artifact, rating="A", at_best="A", tool="berth")
    excused = {"vulnerability": "CVE-2026-1", "reason": "x", "until": timezone.localdate(), "given_by": "owner"}
    excuse = Excuse.objects.create(tenant=cast.acme, repository=repository, **excused)
    token, _text = Token.objects.create(cast.owner, name="owned")
    instance = ObservedInstance.objects.filter(place=running).order_by("number")[0]
    rule = str(rule_of(cast))
    hook = Webhook.objects.create(tenant=cast.acme, project=cast.shop, name="ci", events=["pushed"])
    console = ConsoleSession.objects.create(  # noqa: S604  `shell` is a column
        tenant=cast.acme, project=cast.shop, place=running, instance_id=instance.pk, engine_id="x", service="web",
        number=1, shell="sh", person_id=cast.owner.pk, person_name="owner",
    )  # fmt: skip
    other = create_project(cast.actor("owner"), cast.acme, name="billing")
    loan = QuotaLoan.objects.create(
        tenant=cast.acme, lender=cast.shop, borrower=other, resource="cpu", amount=1, until=timezone.now(),
        lent_by="owner",
    )  # fmt: skip
    create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.guest")
    create_role(cast.actor("owner"), cast.acme, name="watch", level="project", permissions=["app.view"])
    later = timezone.now() + timedelta(days=1)
    review = start_review(cast.actor("owner"), cast.acme, name="known", ends_at=later)
    upload = Upload.objects.create(
        tenant=cast.acme, project=cast.shop, owner_id=cast.owner.pk, owner_name="owner", file_name="web.tar",
        size_bytes=5000, reserved_bytes=5000,
    )  # fmt: skip
    build = Build.objects.create(
        tenant=cast.acme, project=cast.shop, owner_id=cast.owner.pk, owner_name="owner", file_name="web.tar",
        recipe="Dockerfile", repository="web", tags=["1"],
    )  # fmt: skip
    return (
        {
            "upload": str(upload.pk),
            "build": str(build.pk),
            "role": "watch",
            "review": str(review.pk),
            "loan": str(loan.pk),
            "tenant": "acme",
            "project": "shop",
            "robot": "ci",
            "app": "hello",
            "environment": "dev",
            "cluster": "local",
            "host": str(host_of(cast)),
            "number": "1",
            "repository": "own",
            "digest": DIGEST,
            "tag": "1",
            "artifact": str(artifact.pk),
            "excuse": str(excuse.pk),
            "webhook": str(hook.pk),
            "delivery": str(WebhookDelivery.objects.create(tenant=cast.acme, webhook=hook, event="pushed").pk),
            "operation": str(Operation.objects.get(deployment__place=running).pk),
            "instance": str(instance.pk),
            "console": str(console.pk),
            "grant": str(Grant.objects.get(user=cast.owner, tenant=cast.acme).pk),
            "token": str(token.id),
            "session": str(session_of(cast.owner)),
            "factor": str(public_id(Authenticator.objects.create(user=cast.owner, type="totp", data={}))),
            "person": str(cast.developer.pk),
            "group": str(crew_of(cast)),
            "asked": str(ask_for(cast).pk),
            "invitation": str(invite(cast.actor("owner"), cast.acme, person="x", role="tenant.member")[0].pk),
            "mapping": str(RoleMapping.objects.create(place="project", keystone_role="known", role="tenant.member").pk),
        }
        | promotion_of(cast, DIGEST)
        | replicated(cast)
        | {"rule_id": rule}
    )


def host_of(cast: Cast) -> uuid.UUID:
    observe(cast.cluster)
    return Host.objects.values_list("pk", flat=True).get(cluster=cast.cluster)


def ask_for(cast: Cast) -> AskedFor:
    return services.ask(cast.actor("developer"), cast.shop, kind="join", payload={"role": "project.tester"})


def crew_of(cast: Cast) -> uuid.UUID:
    """A group with somebody in it."""
    group = create_group(cast.actor("owner"), cast.acme, name="crew")
    add_to_group(cast.actor("owner"), group, user=cast.developer)
    return group.pk


def session_of(user: User) -> uuid.UUID:
    """The id of a browser that somebody is signed in with."""
    client = Client()
    client.force_login(user)
    return Session.objects.get(user=user).id


MISSING = {
    "tenant": "nowhere",
    "operation": str(uuid.UUID(int=7)),
    "token": str(uuid.UUID(int=7)),
    "session": str(uuid.UUID(int=7)),
    "factor": str(uuid.UUID(int=7)),
    "mapping": str(uuid.UUID(int=7)),
    "cluster": "nowhere",
}


def addresses() -> Iterator[tuple[str, str]]:
    """(method, path pattern) of everything that belongs to somebody."""
    for path, methods in description()["paths"].items():
        if "{" in path and not path.startswith("/api/v1/problems"):
            for method in methods:
                yield method, path


def filled(pattern: str, known: dict[str, str]) -> str:
    """The address; what is not known by name gets an id that is nobody's."""
    return pattern.format_map(defaultdict(lambda: str(uuid.UUID(int=7)), known))


def body_for(method: str, path: str) -> dict[str, Any]:
    """A good one for this address."""
    if method != "patch":
        return BODIES.get(path.rpartition("/")[2], {})
    if "/grants/" in path:
        return {"ends_at": "2040-01-01T00:00:00Z", "reason": "x"}
    if "/webhooks/" in path:
        return {"name": "x"}
    if "/registries/" in path or "/replication/" in path:
        return {}
    return {"protected": True} if "/environments/" in path else {"title": "x"}


def ask(text: str, method: str, path: str) -> Any:
    """Through the event loop, as the server does, since some answers are streams."""

    async def send() -> Any:
        client = AsyncClient()
        body = body_for(method, path)
        more = {} if method == "get" else {"data": json.dumps(body), "content_type": "application/json"}
        response = await getattr(client, method)(path, headers={"Authorization": f"Bearer {text}"}, **more)
        said = b"".join([piece async for piece in response]) if response.streaming else response.content
        kept = {name: value for name, value in response.headers.items() if name not in OF_EACH_REQUEST}
        return response.status_code, kept, said

    return async_to_sync(send)()


def test_foreign_and_missing_are_alike_to_the_byte(known: dict[str, str], cast: Cast) -> None:
    _token, text = Token.objects.create(cast.outsider, name="attack")
    before = AuditEntry.objects.count()
    faults = []
    for method, pattern in addresses():
        query = QUERY.get(pattern, "")
        foreign = ask(text, method, pattern.format(**known) + query)
        missing = ask(text, method, pattern.format(**known | MISSING) + query)
        if foreign != missing or foreign[0] != 404:
            faults.append(f"{method} {pattern}: {foreign} is not {missing}")
    assert not faults, "\n".join(faults)
    assert AuditEntry.objects.count() == before, "what cannot be seen cannot be acted on"


def test_own_addresses_do_answer(known: dict[str, str], cast: Cast) -> None:
    """The comparison above is worth something only if the same addresses lead somewhere for others."""
    _token, text = Token.objects.create(cast.owner, name="own")
    gets = [pattern for method, pattern in addresses() if method == "get" and "{cluster}" not in pattern]
    answers = {pattern: ask(text, "get", pattern.format(**known) + QUERY.get(pattern, ""))[0] for pattern in gets}
    assert {status for status in answers.values()} == {200}, answers


def test_own_names_in_front_do_not_open_what_is_anothers(known: dict[str, str], cast: Cast, api: Api) -> None:
    """Tenant of the attacker in the path, the victim's objects after it."""
    app = create_app(cast.actor("outsider"), cast.store, name="hello")
    place = app.places.get(environment__name="dev")
    client, own = api("outsider"), "/api/v1/tenants/globex/projects/store"
    assert client.get(f"{own}/apps/hello/environments/dev").json()["id"] == str(place.pk)
    for path in (
        "/api/v1/tenants/globex/projects/shop",
        "/api/v1/tenants/globex/projects/shop/apps",
        f"{own}/apps/hello/environments/dev/instances/{known['instance']}",
        f"{own}/apps/hello/deployments/1",
        f"{own}/apps/hello/releases/1",
        f"{own}/webhooks/{known['webhook']}",
        f"{own}/webhooks/{known['webhook']}/deliveries/{known['delivery']}",
        f"{own}/images/own/tags",
        f"{own}/images/own/visibility",
        f"{own}/images/own/artifacts/{DIGEST}",
        f"{own}/passports/{DIGEST}",
        f"{own}/promotions/{known['promotion']}",
        f"{own}/scans/{known['artifact']}",
        f"{own}/scans/{known['artifact']}/findings",
        f"{own}/scans/{known['artifact']}/sbom",
        f"{own}/scans/{known['artifact']}/excuses",
    ):
        assert client.get(path).status_code == 404, path
    assert client.delete(f"/api/v1/tenants/globex/grants/{known['grant']}").status_code == 404
    for kind in ("tag-rules", "retention"):
        assert client.delete(f"{own}/{kind}/{known['rule']}").status_code == 404
    logs = client.get(f"{own}/apps/hello/environments/dev/logs?instance={known['instance']}")
    assert (logs.status_code, logs.json()["errors"][0]["code"]) == (400, "unknown")


GLOBEX = "/api/v1/tenants/globex"
STORE = f"{GLOBEX}/projects/store"
SPEC = {"services": {"web": {"image": "berth/hello:1"}}}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (f"{STORE}/apps/mine/deployments", {"environment": "dev", "release": 1}, "release"),
        (f"{STORE}/apps/mine/deployments", {"environment": "acme-only", "release": 1}, "environment"),
        (f"{STORE}/apps", {"name": "x", "environment": "acme-only", "spec": SPEC}, "environment"),
        (f"{STORE}/environments", {"name": "x", "stage": "dev", "cluster": "acme-cluster"}, "cluster"),
        (f"{GLOBEX}/grants", {"subject": "outsider", "role": "project.guest", "project": "shop"}, "project"),
    ],
)
def test_names_of_others_in_a_body_are_unknown(
    path: str, body: dict[str, Any], field: str, running: AppEnvironment, cast: Cast, api: Api
) -> None:
    Cluster.objects.create(name="acme-cluster", kind="fake")
    Environment.objects.filter(project=cast.shop, name="test").update(name="acme-only")
    create_app(cast.actor("outsider"), cast.store, name="mine")
    answer = api("outsider").post(path, body, format="json")
    assert answer.status_code == 422, answer.content
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, "unknown")]
    assert not Deployment.objects.filter(tenant=cast.globex).exists()


@pytest.mark.parametrize(
    "smuggled",
    [{"tenant_id": "x"}, {"tenant": "globex"}, {"project": "store"}, {"id": "x"}, {"version": 9}, {"deleted_at": None}],
)
def test_whose_a_row_is_cannot_be_sent(smuggled: dict[str, Any], running: AppEnvironment, api: Api) -> None:
    client = api("owner")
    for path in (f"{P}/apps/hello", P, "/api/v1/tenants/acme"):
        answer = client.patch(path, {"title": "new"} | smuggled, format="json")
        assert answer.status_code == 422
        assert client.get(path).json()["title"] != "new"


@pytest.mark.parametrize(
    "field", ["is_staff", "is_superuser", "role", "owner", "permissions", "scopes_of", "user", "user_id", "digest"]
)
def test_nobody_makes_themselves_more(field: str, cast: Cast, api: Api) -> None:
    answer = api("guest").post("/api/v1/tokens", {"name": "n", field: True}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_field")


@pytest.mark.parametrize(
    "query",
    [
        "app__tenant__name=acme",
        "project__tenant__name=globex",
        "ordering=owner__password",
        "ordering=created_by",
        "ordering=name,-name",
        "ordering=?",
        "tenant_id__in=1",
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=1000000000",
        "limit=1e9",
        "page_size=10",
        "offset=10",
        "format=json",
        "fields=password",
        "cursor=abc",
        "cursor=",
    ],
)
def test_only_what_is_offered_filters_and_orders(query: str, running: AppEnvironment, api: Api) -> None:
    answer = api("developer").get(f"{P}/apps?{query}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] in ("bad_parameter", "bad_cursor")


def test_a_cursor_fits_one_person_one_list_and_one_filter(cast: Cast, api: Api) -> None:
    for number in range(3):
        create_app(cast.actor("developer"), cast.shop, name=f"app-{number}")
    client = api("developer")
    link = client.get(f"{P}/apps?limit=1").json()["next"]
    cursor = link.partition("cursor=")[2].partition("&")[0]
    assert client.get(link).status_code == 200
    assert client.get(f"{P}/apps?limit=2&cursor={cursor}").status_code == 200
    refused = [
        (api("owner"), f"{P}/apps?limit=1&cursor={cursor}"),
        (client, f"{P}/apps?limit=1&ordering=-name&cursor={cursor}"),
        (client, f"{P}/apps?limit=1&search=app&cursor={cursor}"),
        (client, f"/api/v1/operations?limit=1&cursor={cursor}"),
        (client, f"{P}/apps?limit=1&cursor={cursor[:-2]}"),
        (client, f"{P}/apps?limit=1&cursor={'A' * 2000}"),
    ]
    for somebody, path in refused:
        answer = somebody.get(path)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), path


def test_ids_cannot_be_guessed_by_counting(known: dict[str, str], api: Api) -> None:
    client = api("owner")
    for path in (f"{P}/apps", f"{E}/instances", "/api/v1/operations", "/api/v1/tenants/acme/audit"):
        for row in client.get(path).json()["results"]:
            assert uuid.UUID(row["id"]).version == 7
