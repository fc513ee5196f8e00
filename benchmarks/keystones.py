"""A real Keystone of the size of a company: following it, coming in with it, and Horizon beside it."""

import json
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.client import Client, Wrong
from benchmarks.horizon import horizon
from benchmarks.machine import processor_seconds
from benchmarks.portal import Portal, portal
from benchmarks.result import Line, Section, milliseconds, percentile
from benchmarks.sign_ins import PAGE, SIGN_IN_SECONDS, entered
from launcher.identity import dev
from launcher.identity.server import PrivateKeystone, clean_environment
from launcher.problems import Problem
from launcher.processes import until

DOMAINS = 8
ROLES = ("reader", "developer", "releaser")
SYNC_SECONDS = 60.0
PAGE_SECONDS = 0.120
PATIENCE_SECONDS = 300.0
WARM = 2


@dataclass(frozen=True)
class Size:
    people: int
    projects: int
    assignments: int


@dataclass(frozen=True)
class Cloud:
    """The filled Keystone, and one person in it with the projects they have a role in."""

    server: PrivateKeystone
    organization: str
    name: str
    password: str
    projects: list[str]

    @property
    def pid(self) -> int:
        mark = self.server.running()
        if mark is None:
            raise Wrong("Keystone does not run")
        return mark.pid


def measure(size: Size, *, runs: int) -> Section:
    """With a portal of its own, which has no engine."""
    section = Section(
        "Keystone",
        f"A real Keystone beside the portal, with {size.people:,} people, {size.projects:,} projects and "
        f"{size.assignments:,} assignments in {DOMAINS + 2} domains. Following it: the portal's own figure, from the "
        "first question to the last row; meanwhile one person reads a page. Coming in and going to another project: "
        f"{runs} times each, the answer's time and the processor time of the portal alone, without Keystone's. Beside "
        "it Horizon, served by one process of its own on the same Keystone, asked for the same.",
    )
    with portal(engine="none", twice=False, keystone=True) as measured:
        cloud = filled(measured, size)
        section.lines = [*followed(measured, size, runs), *entered_both(measured, cloud, runs)]
    return section


def filled(measured: Portal, size: Size) -> Cloud:
    """Everything is ended, Keystone is filled, everything is started again."""
    server = dev.there(measured.state)
    if server is None:
        raise Wrong("there is no Keystone beside the portal")
    admin, password = server.admin(), secrets.token_urlsafe(12)
    domains = [admin.domain(f"bench-{number}") for number in range(DOMAINS)]
    wished = {"domains": domains, "roles": [admin.role(name) for name in ROLES], "password": password}
    wished |= {"people": size.people, "projects": size.projects, "assignments": size.assignments}
    measured.run("down")
    words = [str(server.python), str(Path(__file__).with_name("cloud.py")), str(server.folder)]
    done = subprocess.run(
        words, input=json.dumps(wished), env=clean_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Wrong(f"Keystone could not be filled: {done.stderr[-1500:]}")
    measured.up()
    admin.token = ""
    (person,) = admin.call("GET", f"/users?name=person-0&domain_id={domains[0]}")["users"]
    held = admin.call("GET", f"/role_assignments?user.id={person['id']}")["role_assignments"]
    projects = sorted({one["scope"]["project"]["id"] for one in held})
    return Cloud(server, "bench-0", "person-0", password, projects)


def followed(measured: Portal, size: Size, runs: int) -> Iterator[Line]:
    person = measured.person()
    idle = person.times(PAGE, runs=runs)
    for what in ("first", "when nothing changed"):
        took, spent, pages = follow(measured, person)
        yield Line(
            f"following {size.people:,} people, {what}",
            f"{took:.1f} s, {spent:.1f} s of the portal's processor",
            budget=f"≤ {SYNC_SECONDS:.0f} s",
            kept=took <= SYNC_SECONDS,
            cause="each grant is a row and an audit entry, and between its parts the portal rests for the pages",
        )
        yield Line(
            f"pages meanwhile, {what}",
            milliseconds(pages),
            f"{milliseconds(idle)} without",
            f"p95 ≤ {PAGE_SECONDS * 1000:.0f} ms",
            percentile(pages, 0.95) <= PAGE_SECONDS,
            "the worker shares one process with the pages here; with Redis it is one of its own",
        )
    grants = rows(measured, "SELECT count(*) FROM tenants_grant WHERE source = 'keystone' AND ended_at IS NULL")
    yield Line("grants that came of it", f"{grants[0]:,}")


def follow(measured: Portal, person: Client) -> tuple[float, float, list[float]]:
    """Seconds it took by the portal's own note, of its processor, and of each page that was read meanwhile."""
    before, spent, pages = last(measured), processor_seconds(measured.pid), list[float]()
    measured.client().post("/api/v1/identity/mend", {}, wanted=202)

    def over() -> bool:
        pages.append(person.get(PAGE).seconds)
        return last(measured) != before

    if not until(over, seconds=PATIENCE_SECONDS, every=0.01):
        raise Wrong("the portal did not follow Keystone")
    return last(measured)[1] / 1000, processor_seconds(measured.pid) - spent, pages


def last(measured: Portal) -> tuple[str, int]:
    """When it last followed, and the milliseconds it took."""
    return rows(measured, "SELECT worked_at, took_ms FROM tenants_syncstate") or ("", 0)


def rows(measured: Portal, query: str) -> tuple[Any, ...]:
    with closing(sqlite3.connect(f"file:{measured.state.folder}/berth.sqlite3?mode=ro", uri=True)) as database:
        found: tuple[Any, ...] = database.execute(query).fetchone() or ()
        return found


def entered_both(measured: Portal, cloud: Cloud, runs: int) -> Iterator[Line]:
    who = {"organization": cloud.organization}
    entered(measured, measured.pid, cloud.name, cloud.password, runs=WARM, **who)
    theirs = beside(cloud, runs)
    walls, spent = entered(measured, measured.pid, cloud.name, cloud.password, runs=runs, **who)
    switches, switching = switched(measured, cloud, runs)
    yield Line(
        f"sign-in with a password of Keystone's{times(spent, theirs.ins)}",
        f"{spent * 1000:.0f} ms of processor, {milliseconds(walls)}",
        theirs.ins.words,
        f"≤ {SIGN_IN_SECONDS * 1000:.0f} ms of processor",
        spent <= SIGN_IN_SECONDS,
        "after the password six lists are read from Keystone and compared",
    )
    yield Line(
        f"to another project, its page read{times(switching, theirs.moves)}",
        f"{switching * 1000:.0f} ms of processor, {milliseconds(switches)}",
        f"{theirs.moves.words}; the switch alone {theirs.ways.words}" if theirs.moves.seconds else "",
    )
    if theirs.reason:
        yield Line("Horizon beside it", f"not measured: {theirs.reason}")


@dataclass(frozen=True)
class Spent:
    """Seconds of each answer, and of the processor for one; of what was not measured there are none."""

    seconds: Sequence[float] = ()
    processor: float = 0.0

    @property
    def words(self) -> str:
        return f"{self.processor * 1000:.0f} ms of processor, {milliseconds(self.seconds)}" if self.seconds else ""


@dataclass(frozen=True)
class Beside:
    """Horizon's sign-in and its project switch, or the reason why it could not be had."""

    ins: Spent = Spent()
    ways: Spent = Spent()
    moves: Spent = Spent()
    reason: str = ""


def times(ours: float, theirs: Spent) -> str:
    return f" ({ours / theirs.processor:.2f} times Horizon's processor)" if theirs.processor else ""


def beside(cloud: Cloud, runs: int) -> Beside:
    try:
        with horizon(cloud.server.url) as other:
            ins = [other.sign_in(cloud.name, cloud.password, cloud.organization) for _run in range(WARM + runs)]
            ways = [cloud.projects[run % len(cloud.projects)] for run in range(WARM + runs)]
            moves = [(other.switch(ins[-1][0], way), other.read(ins[-1][0])) for way in ways][WARM:]
    except (Problem, Wrong, OSError) as problem:
        return Beside(reason=" ".join(str(problem).split())[:200])
    ways_alone, ways_read = [one for one, _page in moves], [(one[0] + page[0], one[1] + page[1]) for one, page in moves]
    return Beside(mean([one[1:] for one in ins[WARM:]]), mean(ways_alone), mean(ways_read))


def mean(runs: Sequence[tuple[float, float]]) -> Spent:
    """Of (seconds, seconds of the processor)."""
    return Spent([wall for wall, _spent in runs], sum(spent for _wall, spent in runs) / len(runs))


def switched(measured: Portal, cloud: Cloud, runs: int) -> tuple[list[float], float]:
    """Seconds of each page of another tenant, and of the processor for one."""
    client = Client(measured.port)
    client.enter(client.door(), cloud.name, cloud.password, organization=cloud.organization)
    homes = [f"/t/{one['name']}/projects/" for one in client.get("/api/v1/me").json()["tenants"]]
    for home in homes:
        client.get(home)
    before = processor_seconds(measured.pid)
    seconds = [client.get(homes[run % len(homes)]).seconds for run in range(runs)]
    return seconds, (processor_seconds(measured.pid) - before) / runs
