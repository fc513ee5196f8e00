"""Every role at every address and socket, of its own tenant and of another: the matrix, made of the URLconf itself.

An address or socket that is not listed in things() or SOCKETS makes it fail. How many cells were looked at is printed
at the end of the run.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import Client

from apps.models import AppEnvironment, Environment
from apps.services import create_app, deploy
from apps.specification import from_image
from audit.models import AuditEntry
from portal.api.reference import description
from portal.checks import Route, routes
from tenants.models import Grant, Token, User
from tenants.quota.models import Quota, QuotaLoan
from tenants.robots.services import create_robot
from tenants.roles import ROLES, Role
from tests.abuse.test_isolation import QUERY, ask, body_for, filled, known
from tests.abuse.test_socket_routes import GONE, SOCKETS, address, headers, patterns, said
from tests.abuse.test_socket_routes import known as known_to_sockets
from tests.conftest import Cast, person
from tests.rules import addresses, matrix
from tests.rules.sources import told
from tests.rules.test_addresses import METHODS, NEEDS_MORE, things

__all__ = ["known", "known_to_sockets"]
pytestmark = pytest.mark.wide

Record = Callable[[str, object], None]
WITHIN = [role for role in ROLES.values() if role.level != "platform"]
OF_THIS_REQUEST = re.compile(r'"request_id": ?"[^"]*"')
NOT_OF_A_TENANT = {"code", "cluster", "host", "mapping", "way"}  # gaps that stand for what no tenant owns
# What one must hold to have read a page or answer whose name says what it shows.
READING = (
    (re.compile(r"audit"), "audit.view"),
    (re.compile(r"who_could"), "audit.view"),
    (re.compile(r"^(api_)?(project_)?members?$|member_why|api_removal|api_grants$|member_roles"), "member.view"),
    (re.compile(r"tenant_tokens?"), "member.manage"),
    (re.compile(r"robots$|project_tokens"), "member.view"),
    (re.compile(r"logs"), "log.view"),
    (re.compile(r"quota"), "quota.view"),
    (re.compile(r"registry_upkeep|registry_collections"), "cluster.view"),
    (re.compile(r"keeping|retention|tag_rules|artifact|^api_tags|project_base_images"), "image.view"),
    (re.compile(r"(?<!base_)images|api_image(?!_search)"), "image.view"),  # whoever searches finds what they may see
    (re.compile(r"^(api_)?base_images$"), "cluster.manage"),
    (re.compile(r"^clusters?$|^hosts?$|^cluster_|^api_cluster(_|$)"), "cluster.view"),
    (re.compile(r"keystone|role_mapping|identity_drift"), "identity.manage"),
)


def one_with(role: Role, cast: Cast, *, own: bool) -> User:
    """Somebody who holds nothing but this role, in acme and its shop or (a stranger there) in globex and its store."""
    tenant, project = (cast.acme, cast.shop) if own else (cast.globex, cast.store)
    found = person(f"one-{uuid.uuid4().hex[:8]}")
    place: dict[str, Any] = {"tenant": tenant if role.level != "platform" else None}
    Grant.objects.create(user=found, role=role.key, project=project if role.level == "project" else None, **place)
    return found


_methods: dict[str, list[str]] = {}  # of each route, found out once


def methods_of(route: Route, client: Client, path: str) -> list[str]:
    """What an address understands, as it says itself to whoever asks for something nobody does."""
    if route.path not in _methods:
        allowed = client.generic("BREW", path).headers.get("Allow", "").lower().split(", ")
        _methods[route.path] = [method for method in METHODS if method in allowed]
    return _methods[route.path]


def cells(names: dict[str, str], client: Client) -> Iterator[tuple[Route, str, str]]:
    """(route, method, address of something of acme) of everything that asks who is there."""
    for route in routes():
        if not route.public:
            path = addresses.filled(route, lambda _kind, name: names[name]) + NEEDS_MORE.get(route.name, "")
            yield from ((route, method, path) for method in methods_of(route, client, path))


def answer(client: Client, user: User, method: str, path: str) -> tuple[int, list[str]]:
    """(status, the commands of theirs that were accepted); whatever was done is undone."""
    if method == "get":
        return client.get(path).status_code, []
    more: dict[str, Any] = {}
    if path.startswith("/api/"):
        more = {"data": body_for(method, path), "content_type": "application/json"}
    with transaction.atomic():
        status = getattr(client, method)(path, **more).status_code
        own = AuditEntry.objects.filter(actor_id=user.pk, result=AuditEntry.Result.ACCEPTED)
        done = list(own.values_list("action", flat=True)) if status < 400 else []
        transaction.set_rollback(True)
    return status, done


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_every_gap_is_listed(running: AppEnvironment, cast: Cast) -> None:
    gaps: set[str] = set()
    names = things_of(running, cast)
    for route in routes():
        if not route.public:
            gaps |= {name for _kind, name in addresses.GAP.findall(route.path)}
    assert gaps <= set(names), told(sorted(gaps - set(names)), "Say in things() what stands for:")


def things_of(running: AppEnvironment, cast: Cast) -> dict[str, str]:
    client = Client()
    client.force_login(cast.owner)
    found = things(running, cast)
    loan = QuotaLoan.objects.get(pk=found["loan"])
    for project, what in ((loan.lender, "lent"), (loan.borrower, "borrowed")):
        place = {"tenant": cast.acme, "project": project, "resource": loan.resource}
        Quota.objects.update_or_create(**place, defaults={what: loan.amount})
    return found


@pytest.mark.parametrize("role", list(ROLES.values()), ids=lambda role: role.key)
def test_nobody_does_or_reads_what_their_role_does_not_hold(
    role: Role, running: AppEnvironment, cast: Cast, record_property: Record
) -> None:
    """Each change that was done is one the role may do, and each page that says what it shows one it may read."""
    codes: dict[str, set[str]] = {}
    for name, needed in matrix.requirements():
        codes.setdefault(name.partition(" ")[0], set()).update(needed)
    user = one_with(role, cast, own=True)
    client, faults, looked_at = signed_in(user), [], 0
    for route, method, path in cells(things_of(running, cast), client):
        status, done = answer(client, user, method, path)
        looked_at += 1
        if status >= 500 and status != 503:
            faults.append(f"{method} {path}: {status}")
        beyond = [one for one in done if one in codes and not codes[one] & (role.permissions | {"account.own"})]
        faults += [f"{method} {path}: {one} was done" for one in beyond]
        if method == "get" and status == 200:
            lacking = [code for sign, code in READING if sign.search(route.name) and code not in role.permissions]
            faults += [f"get {path}: was read without {code}" for code in lacking]
    record_property("cells", looked_at)
    assert not faults, told(faults, f"{role.key} went beyond what it holds:")
    assert looked_at > 200


@pytest.mark.parametrize("role", WITHIN, ids=lambda role: role.key)
def test_a_stranger_of_any_role_finds_nothing(
    role: Role, running: AppEnvironment, cast: Cast, record_property: Record
) -> None:
    """Whoever is whatever in another tenant: every address of a thing of this one is missing, and nothing is done."""
    user = one_with(role, cast, own=False)
    client, faults, looked_at = signed_in(user), [], 0
    for route, method, path in cells(things_of(running, cast), client):
        gaps = {name for _kind, name in addresses.GAP.findall(route.path)} - NOT_OF_A_TENANT
        if not gaps:
            continue
        status, _done = answer(client, user, method, path)
        looked_at += 1
        if status != 404:
            faults.append(f"{method} {path}: {status}")
    record_property("cells", looked_at)
    assert not faults, told(faults, f"{role.key} of globex found these of acme:")
    assert looked_at > 150


@pytest.mark.parametrize("role", WITHIN, ids=lambda role: role.key)
@pytest.mark.django_db(transaction=True)
async def test_a_stranger_of_any_role_hears_nothing(
    role: Role, known_to_sockets: dict[str, str], cast: Cast, record_property: Record
) -> None:
    """Sockets: closed before a word is said, as those of things that are not there."""
    assert set(patterns()) == set(SOCKETS)
    stranger = await sync_to_async(one_with)(role, cast, own=False)
    sent = await sync_to_async(headers)(stranger)
    for pattern in SOCKETS:
        heard = await said(address(pattern, known_to_sockets), sent)
        assert [one["type"] for one in heard] == ["websocket.close"], pattern
        assert heard[0]["code"] in GONE, pattern
    record_property("cells", len(SOCKETS))


Pairs = list[tuple[str, str]]


def foreign_and_missing(names: dict[str, str]) -> tuple[Pairs, Pairs]:
    """(a name or id of acme, one of the same kind that is nobody's): for what takes text, and for what takes an id.

    Names of people are not among them: they are the platform's, and who gives a role has to name somebody.
    """
    pairs = [("acme", "nope"), ("shop", "none"), ("hello", "nosuc"), ("acmestage", "nostageat")]
    kinds = ("instance", "operation", "grant", "loan", "token", "console")
    ids = [(names[key], str(uuid.UUID(int=7))) for key in kinds]
    return [*pairs, ids[0]], ids


def fields(operation: dict[str, Any], shapes: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """(query or body, name, whether it is an id) of all that an operation takes and that can hold a name or an id."""
    for one in operation.get("parameters", []):
        if one["in"] == "query" and holds_a_name(one["schema"]) and one["name"] not in ("cursor", "search"):
            yield "query", one["name"], one["schema"].get("format") == "uuid"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    shape = shapes.get(body.get("$ref", "").rpartition("/")[2], {})
    for name, kind in shape.get("properties", {}).items():
        if holds_a_name(kind):
            yield "body", name, kind.get("format") == "uuid"


def holds_a_name(kind: dict[str, Any]) -> bool:
    return kind.get("type") == "string" and "enum" not in kind and kind.get("format") != "date-time"


def heard(text: str, method: str, path: str, *, where: str, name: str, value: str) -> tuple[int, str]:
    """Status and words of the answer, with what was sent taken out: it may be repeated. Whatever was done is undone."""
    body = body_for(method, path) | ({name: value} if where == "body" else {})
    query = f"?{urlencode({name: value})}" if where == "query" else QUERY.get(path, "")
    with transaction.atomic():
        if "/logs" in path or path.endswith("/export"):  # streams
            status, _headers, told_of = ask(text, method, path + query)
        else:
            more = {} if method == "get" else {"data": body, "content_type": "application/json"}
            got = getattr(Client(), method)(path + query, headers={"Authorization": f"Bearer {text}"}, **more)
            status, told_of = got.status_code, got.content
        transaction.set_rollback(True)
    return status, OF_THIS_REQUEST.sub("", told_of.decode().replace(value, "?")) if status >= 400 else ""


def test_what_is_sent_of_another_is_like_what_there_is_not(
    known: dict[str, str], cast: Cast, record_property: Record
) -> None:
    """Each parameter after a question mark and each field of a body, on addresses of one's own, with a name or id of
    another tenant: the very answer that a name of nobody gets.
    """
    Environment.objects.filter(project=cast.shop, name="test").update(name="acmestage")
    app = create_app(cast.actor("outsider"), cast.store, name="mine")
    deploy(cast.actor("outsider"), app.places.get(environment__name="dev"), spec=from_image("berth/hello:1"))
    create_robot(cast.actor("outsider"), cast.store, name="ci", role="project.guest")
    text = Token.objects.create(cast.outsider, name="sends")[1]
    own = {"tenant": "globex", "project": "store", "app": "mine", "environment": "dev", "number": "1", "robot": "ci"}
    texts, ids = foreign_and_missing(known)
    shapes, faults, looked_at = description()["components"]["schemas"], [], 0
    for pattern, methods in description()["paths"].items():
        path = filled(pattern, own)
        for method, operation in methods.items():
            for where, name, takes_id in fields(operation, shapes):
                for foreign, missing in ids if takes_id else texts:
                    first, second = (
                        heard(text, method, path, where=where, name=name, value=value) for value in (foreign, missing)
                    )
                    looked_at += 1
                    if first != second:
                        faults.append(f"{method} {path} with {name}={foreign}: {first} is not {second}")
    record_property("cells", looked_at)
    assert not faults, told(faults, "These answers tell whether another tenant has something:")
    assert looked_at > 200
