"""Every address asks who is there, and looking changes nothing."""

import re
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.models import AppEnvironment, InstanceEnd
from apps.observing import observe
from backends.models import Host
from console.models import ConsoleSession
from images.models import Artifact, Build, Excuse, Repository, Scan, Tag, Upload, Webhook, WebhookDelivery
from operations.models import Operation
from portal.checks import PUBLIC, Route, every_address_is_guarded, routes
from tenants.custom.services import create_role
from tenants.factors.selectors import public_id
from tenants.groups.services import create_group
from tenants.identity.models import RoleMapping
from tenants.invitations.services import invite
from tenants.models import Grant, Session, Token
from tenants.quota.models import QuotaLoan
from tenants.requests.services import ask
from tenants.reviews.services import start as start_review
from tenants.robots.services import create_robot
from tenants.services import create_project
from tests.conftest import Cast
from tests.images.known import promotion_of, rule_of
from tests.replication.known import replicated
from tests.rules import addresses
from tests.rules.sources import told

METHODS = ("get", "post", "put", "patch", "delete")
ROUTES = list(routes())
GUARDED = [route for route in ROUTES if not route.public]
ID = re.compile(r'<[^>]*\sid="([^"]+)"')
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
# What looking may write: the session that came with it, when a token was last used, and where a person was last.
MAY_BE_WRITTEN = re.compile(
    r'"tenants_session"|UPDATE "tenants_token" SET "last_used_at"|UPDATE "tenants_user" SET "recent"'
)


def test_views_are_guarded_by_the_usual_means() -> None:
    faults = [f"{message.msg}" for message in every_address_is_guarded(None)]
    assert not faults, told(faults, "Guard these views with login_required, LoginRequiredMixin or as an API view:")


def test_public_addresses_are_still_there() -> None:
    gone = sorted(set(PUBLIC) - {route.name or route.path for route in ROUTES})
    assert not gone, told(gone, "Take these out of PUBLIC in portal/checks.py:")


@pytest.mark.django_db
@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.path)
def test_nobody_gets_in_without_signing_in(
    route: Route, client: Client, record_property: Callable[[str, object], None]
) -> None:
    address = addresses.of_nothing(route)
    answers = {method: turned_away(client, method, address) for method in METHODS}
    record_property("cells", sum(said != "405" for said in answers.values()))
    let_in = [f"{method.upper()} {address}: {said}" for method, said in answers.items() if said not in {"door", "405"}]
    assert not let_in, told(let_in, "Guard these before they look at anything (401 for the API, the door for pages):")
    assert "door" in answers.values(), f"{address} understands no method at all"


def turned_away(client: Client, method: str, address: str) -> str:
    """ "door" where somebody unknown is asked to sign in, else the status."""
    answer = getattr(client, method)(address)
    to_the_door = answer.status_code == 302 and answer.headers["Location"].startswith(reverse("sign_in"))
    return "door" if to_the_door or answer.status_code == 401 else str(answer.status_code)


def things(place: AppEnvironment, cast: Cast) -> dict[str, str]:
    """What stands for each gap's name, so that the address is one of something that exists."""
    operation = Operation.objects.get(deployment__place=place)
    instance = place.observed_instances.order_by("number").first()
    assert instance is not None
    token, _text = Token.objects.create(cast.owner, name="looking")
    repository = Repository.objects.create(name="hello", tenant=cast.acme, project=cast.shop, path="acme/shop/hello")
    artifact = Artifact.objects.create(repository=repository, digest=f"sha256:{'1' * 64}", pinned="hello@sha256:1")
    tag = Tag.objects.create(repository=repository, name="1", artifact=artifact)
    scan = Scan.objects.create(artifact=artifact, rating="A", at_best="A", tool="berth")
    excused = {"vulnerability": "CVE-2026-1", "reason": "x", "until": timezone.localdate(), "given_by": "owner"}
    excuse = Excuse.objects.create(tenant=cast.acme, repository=repository, **excused)
    rule = str(rule_of(cast))
    hook = Webhook.objects.create(tenant=cast.acme, project=cast.shop, name="ci", events=["pushed"])
    console = ConsoleSession.objects.create(  # noqa: S604  `shell` is a column
        tenant=cast.acme, project=cast.shop, place=place, instance_id=instance.pk, engine_id="x", service="web",
        number=1, shell="sh", person_id=cast.owner.pk, person_name="owner",
    )  # fmt: skip
    whose = {"tenant": cast.acme, "project": cast.shop, "place": place}
    end = InstanceEnd.objects.create(**whose, service="web", number=1, engine_id="x", ended_at=timezone.now())
    later = timezone.now() + timedelta(days=7)
    other = create_project(cast.actor("owner"), cast.acme, name="billing")
    loan = QuotaLoan.objects.create(
        tenant=cast.acme, lender=cast.shop, borrower=other, resource="cpu", amount=1, until=later, lent_by="owner"
    )
    create_robot(cast.actor("owner"), cast.shop, name="ci", role="project.guest")
    asked = ask(cast.actor("developer"), cast.shop, kind="join", payload={"role": "project.tester"})
    create_role(cast.actor("owner"), cast.acme, name="watch", level="project", permissions=["app.view"])
    review = start_review(cast.actor("owner"), cast.acme, name="looking", ends_at=later)
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
            "mapping": str(
                RoleMapping.objects.create(place="project", keystone_role="looking", role="tenant.member").pk
            ),
            "tenant": "acme",
            "project": "shop",
            "robot": "ci",
            "app": "hello",
            "environment": "dev",
            "cluster": "local",
            "host": str(host_of(cast)),
            "way": "swarm",
            "service": "web",
            "number": "1",
            "seq": "1",
            "code": "not_found",
            "operation": str(operation.pk),
            "instance": str(instance.pk),
            "console": str(console.pk),
            "end": str(end.pk),
            "token": str(token.id),
            "factor": str(public_id(Authenticator.objects.create(user=cast.owner, type="totp", data={}))),
            "session": str(Session.objects.filter(user=cast.owner).values_list("id", flat=True)[0]),
            "grant": str(Grant.objects.filter(tenant=cast.acme).values_list("pk", flat=True)[0]),
            "person": str(cast.developer.pk),
            "group": str(create_group(cast.actor("owner"), cast.acme, name="crew").pk),
            "request_id": str(asked.pk),
            "asked": str(asked.pk),
            "invitation": str(invite(cast.actor("owner"), cast.acme, person="x", role="tenant.member")[0].pk),
            "repository": repository.name,
            "digest": artifact.digest,
            "webhook": str(hook.pk),
            "delivery": str(WebhookDelivery.objects.create(tenant=cast.acme, webhook=hook, event="pushed").pk),
            "artifact": str(scan.artifact_id),
            "excuse": str(excuse.pk),
            "tag": tag.name,
        }
        | promotion_of(cast, artifact.digest)
        | replicated(cast)
        | {"rule_id": rule}
    )


def host_of(cast: Cast) -> uuid.UUID:
    observe(cast.cluster)
    return Host.objects.values_list("pk", flat=True).get(cluster=cast.cluster)


NEEDS_MORE = {  # address by name: the query without which it rightly refuses
    "api_release_diff": "?with=1",
    "api_release_given": "?environment=dev",
}


@pytest.mark.wide
def test_looking_changes_nothing(running: AppEnvironment, cast: Cast, browse: Callable[[str], Client]) -> None:
    """Every page and API answer is read once by somebody who may read it; none may write, fail, be empty or
    have two things of one id."""
    Grant.objects.create(user=cast.owner, role="platform.operator")
    Grant.objects.create(user=cast.owner, role="platform.auditor")
    client, known = browse("owner"), things(running, cast)
    faults = []
    for route in GUARDED:
        unknown = [name for _kind, name in addresses.GAP.findall(route.path) if name not in known]
        if unknown:
            faults.append(f"/{route.path}: say in things() what stands for {', '.join(unknown)}")
            continue
        address = addresses.filled(route, lambda _kind, name: known[name]) + NEEDS_MORE.get(route.name, "")
        faults += look(client, address)
    assert not faults, told(faults, "A GET that writes is a command in disguise; make it a POST. Each id stands once:")


def doubled_ids(answer: Any) -> list[str]:
    """Ids that stand twice in a page: a new state of one thing would replace the other."""
    if answer.streaming or not answer.headers.get("Content-Type", "").startswith("text/html"):
        return []
    found = Counter(ID.findall(answer.content.decode()))
    return [name for name, times in found.items() if times > 1]


def look(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    if answer.status_code not in {200, 302, 405}:
        return [f"{address}: answers {answer.status_code}"]
    written = [
        query["sql"] for query in queries if WRITES.match(query["sql"]) and not MAY_BE_WRITTEN.search(query["sql"])
    ]
    twice = [f"{address}: two things have the id {name}" for name in doubled_ids(answer)]
    return [f"{address}: {sql[:150]}" for sql in written] + twice
