"""The only module that talks to Keystone. Import it inside the function that needs it: the library is heavy.

Every call has a time limit. `IdentityUnavailable` is raised for whatever is not an answer: no connection, no answer
in time, an error of the server, rubbish, or a refusal of the account that Berth reads with.
"""

import logging
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from django.conf import settings
from keystoneauth1 import exceptions as kx
from keystoneauth1 import session as ks
from keystoneauth1.identity import v3
from keystoneclient.v3 import client as ks_client

from tenants.identity.breaker import Breaker
from tenants.identity.errors import IdentityUnavailable, PasswordExpired, Refused, SecondFactorNeeded
from tenants.identity.facts import Assignment, Disabled, Domain, Person, Project, Snapshot

log = logging.getLogger(__name__)
DOWN = (
    kx.ConnectFailure,
    kx.HttpServerError,
    kx.DiscoveryFailure,
    kx.InvalidResponse,
    kx.SSLError,
    kx.UnknownConnectionError,
    kx.RetriableConnectionFailure,
)
RUBBISH = (ValueError, KeyError, TypeError, AttributeError)  # an answer that is not what an answer looks like
EXPIRED = re.compile(r"password is expired and needs to be changed for user: ([0-9a-zA-Z-]{1,64})")
WHOLE_SECONDS = 60.0  # reading everything may take longer than one sign-in
LONGEST_PASSWORD = 72  # bytes: bcrypt ignores what comes after

breaker = Breaker()
_lock = threading.Lock()
_readers: dict[tuple[str, ...], Any] = {}


def forget() -> None:
    """Drop what is kept of an earlier address or account."""
    with _lock:
        _readers.clear()
    breaker.worked()


@contextmanager
def asking() -> Iterator[None]:
    """Around every call: tells an outage from an answer, and stops asking where there is one."""
    if breaker.open:
        raise IdentityUnavailable()
    try:
        yield
    except (*DOWN, *RUBBISH) as error:
        breaker.failed()
        log.warning("Keystone does not answer as it should: %s", type(error).__name__)
        raise IdentityUnavailable() from error
    breaker.worked()


# --- as a person -------------------------------------------------------------------------------------------------


def sign_in(name: str, domain: str, password: str) -> str | None:
    """Keystone's id of the person; None where name, organization or password is wrong.

    Raises SecondFactorNeeded and PasswordExpired, both only after the right password.
    """
    if len(password.encode()) > LONGEST_PASSWORD:
        return None
    who = {"username": name, "user_domain_name": domain}
    return _enter([v3.PasswordMethod(password=password, **who)], name, domain)


def sign_in_with_code(name: str, domain: str, code: str, receipt: str) -> str | None:
    """The second step; None where the code is wrong or the receipt too old."""
    totp = v3.TOTPMethod(username=name, user_domain_name=domain, passcode=code)
    return _enter([v3.ReceiptMethod(receipt=receipt), totp], name, domain)


def _enter(methods: list[Any], name: str, domain: str) -> str | None:
    plugin = v3.Auth(settings.KEYSTONE["url"], methods, unscoped=True, reauthenticate=False)
    with asking():
        try:
            said = plugin.get_access(ks.Session(timeout=settings.KEYSTONE_TIMEOUT_SECONDS))
            if not (_alike(said.username, name) and _alike(said.user_domain_name, domain)):
                raise ValueError("the answer is about somebody else")  # a proxy's or cache's; nobody comes in by it
            return said.user_id
        except kx.MissingAuthMethods as error:
            raise SecondFactorNeeded(str(error.receipt)) from None
        except kx.Unauthorized as error:
            expired = EXPIRED.search(str(error))
            if expired:
                raise PasswordExpired(expired[1]) from None
            return None
        except kx.BadRequest:
            return None  # a name that its own rules refuse
        except kx.NotFound as error:
            log.error("KEYSTONE_URL leads to no Keystone v3.")
            raise IdentityUnavailable() from error


def _alike(said: str | None, typed: str) -> bool:
    """Whether two names are one to a Keystone: its database may not tell capital from small letters."""
    return unicodedata.normalize("NFKC", said or "").casefold() == unicodedata.normalize("NFKC", typed).casefold()


def change_password(user: str, old: str, new: str) -> bool:
    """Change an expired password with the old one alone; False where that is wrong. Raises Refused with its reason."""
    body = {"user": {"original_password": old, "password": new}}
    url = f"{settings.KEYSTONE['url']}/users/{user}/password"
    with asking():
        try:
            session = ks.Session(timeout=settings.KEYSTONE_TIMEOUT_SECONDS)
            session.post(url, json=body, authenticated=False, headers={"Content-Type": "application/json"})
        except kx.Unauthorized:
            return False
        except (kx.BadRequest, kx.Forbidden) as error:
            raise Refused(str(error.message)) from None
    return True


# --- as the account that reads -----------------------------------------------------------------------------------


def _reader(**scope: str) -> Any:
    """A client of our own account for one scope; its token is kept and renewed by itself."""
    known = settings.KEYSTONE
    key = (known["url"], known["user"], known["password"], *(f"{name}={value}" for name, value in scope.items()))
    with _lock:
        if key not in _readers:
            secret = {"user_id": known["user"], "password": known["password"]}
            auth = v3.Password(known["url"], **secret, **scope)  # type: ignore[arg-type]  # texts only
            session = ks.Session(auth=auth, session=requests.Session(), timeout=settings.KEYSTONE_TIMEOUT_SECONDS)
            _readers[key] = ks_client.Client(session=session, endpoint_override=known["url"])
        return _readers[key]


@contextmanager
def reading(**scope: str) -> Iterator[Any]:
    """Our account's client; its own refusal is an outage to everybody else, and named in the log."""
    with asking():
        try:
            yield _reader(**(scope or {"system_scope": "all"}))
        except (kx.Unauthorized, kx.Forbidden) as error:
            log.error("Keystone refuses the account Berth reads with: %s", error.http_status)
            raise IdentityUnavailable() from error


def everything() -> Snapshot:
    """All domains, projects, people and roles that count."""
    with reading() as keystone:
        read = Snapshot(domains=_domains(keystone), roles=_roles(keystone), implied=_implied(keystone))
        read.projects = _projects(keystone.projects.list())
        read.people = {each.id: _person(each) for each in keystone.users.list()}
        read.assignments = _assignments(keystone)
    return read


def about(user: str) -> Snapshot:
    """The same as far as one person is concerned; without `people` where Keystone does not know them."""
    with reading() as keystone:
        read = Snapshot(domains=_domains(keystone), roles=_roles(keystone), implied=_implied(keystone), about=user)
        try:
            read.people = {user: _person(keystone.users.get(user))}
        except kx.NotFound:
            return read
        read.assignments = _assignments(keystone, user=user)
        read.projects = _projects(keystone.projects.list(user=user))
        for domain in {each.where for each in read.assignments if each.place == "domain"}:
            read.projects |= _projects(keystone.projects.list(domain=domain))
    return read


def person(user: str) -> Person | None:
    """One person as they are now; None where Keystone does not know them."""
    with reading() as keystone:
        try:
            return _person(keystone.users.get(user))
        except kx.NotFound:
            return None


def disabled() -> Disabled:
    """What is off at this moment: two short lists, however large the cloud is."""
    with reading() as keystone:
        projects = frozenset(each.id for each in keystone.projects.list(enabled=False))
        return Disabled(projects, frozenset(each.id for each in keystone.domains.list(enabled=False)))


def disabled_people() -> frozenset[str]:
    """Ids of all whose account is off at this moment; one request."""
    with reading() as keystone:
        return frozenset(each.id for each in keystone.users.list(enabled=False))


def roles() -> dict[str, str]:
    """Names of all roles by id."""
    with reading() as keystone:
        return _roles(keystone)


def own_roles() -> set[tuple[str, str]]:
    """(place, role name) of the account Berth reads with, for `doctor`."""
    user = settings.KEYSTONE["user"]
    with reading() as keystone:
        names = _roles(keystone)
        return {(each.place, names.get(each.role, "?")) for each in _assignments(keystone, user=user)}


def whose_token(token: str) -> dict[str, Any] | None:
    """What a token says of itself; None where it is wrong or over."""
    with reading() as keystone:
        url = f"{settings.KEYSTONE['url']}/auth/tokens?nocatalog"
        try:
            answer: dict[str, Any] = keystone.session.get(url, headers={"X-Subject-Token": token}).json()["token"]
        except (kx.NotFound, kx.BadRequest):
            return None
        return answer


def write(*, give: bool, user: str, project: str, role: str, domain: str) -> None:
    """Give or take a role on a project as the domain's manager; what is so already is well. Raises Refused."""
    with asking():
        keystone = _reader(domain_id=domain)
        act = keystone.roles.grant if give else keystone.roles.revoke
        try:
            act(role, user=user, project=project)
        except kx.NotFound:
            if give:
                raise Refused("Keystone knows the person, the project or the role no more.") from None
        except (kx.Unauthorized, kx.Forbidden):
            raise Refused("Berth's account is not manager of this domain, or may not give this role.") from None


def _domains(keystone: Any) -> dict[str, Domain]:
    return {each.id: Domain(each.id, each.name, bool(each.enabled)) for each in keystone.domains.list()}


def _roles(keystone: Any) -> dict[str, str]:
    return {each.id: each.name for each in keystone.roles.list()}


def _implied(keystone: Any) -> dict[str, set[str]]:
    answer = keystone.session.get(f"{settings.KEYSTONE['url']}/role_inferences").json()["role_inferences"]
    return {each["prior_role"]["id"]: {role["id"] for role in each["implies"]} for each in answer}


def _projects(found: Any) -> dict[str, Project]:
    return {each.id: Project(each.id, each.name, each.domain_id, bool(each.enabled)) for each in found}


def _person(found: Any) -> Person:
    return Person(found.id, found.name, found.domain_id, bool(found.enabled))


def _assignments(keystone: Any, *, user: str = "") -> set[Assignment]:
    """Those of projects and domains; and those of the system, which Keystone leaves out of what it calls effective."""
    url, only = f"{settings.KEYSTONE['url']}/role_assignments?", f"&user.id={user}" if user else ""
    lists = [
        keystone.session.get(url + what + only, timeout=WHOLE_SECONDS) for what in ("effective", "scope.system=all")
    ]
    rows = [row for answer in lists for row in answer.json()["role_assignments"]]
    return {found for row in rows if (found := _assignment(row)) is not None}


def _assignment(found: dict[str, Any]) -> Assignment | None:
    scope, role = found["scope"], found["role"]["id"]
    if "user" not in found or "OS-INHERIT:inherited_to" in scope or "prior_role" in found.get("links", {}):
        return None
    for place in ("project", "domain"):
        if place in scope:
            return Assignment(found["user"]["id"], place, scope[place]["id"], role)
    return Assignment(found["user"]["id"], "system", "", role)
