"""Many people at once: few statements, nothing lost or given twice, and room for others between the parts."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import chain
from audit.models import AuditEntry
from core import pace
from operations.models import Change
from tenants.identity import settling, sync
from tenants.identity.facts import Assignment, Domain, Person, Project, Snapshot
from tenants.identity.models import RoleMapping
from tenants.models import Grant, Organization, Tenant, User

pytestmark = pytest.mark.django_db
ROLES = {"r1": "reader", "r2": "developer", "r3": "releaser"}
PROJECTS = 8
DOMAIN = Domain("d", "house", enabled=True)


@pytest.fixture(autouse=True)
def _mapping() -> None:
    RoleMapping.objects.all().delete()
    for theirs, ours in (("reader", "guest"), ("developer", "developer"), ("releaser", "releaser")):
        RoleMapping.objects.create(place="project", keystone_role=theirs, role=f"project.{ours}")


def cloud(people: int, *, each: int = 4, first: int = 0) -> Snapshot:
    """`people` with `each` roles on the same eight projects."""
    read = Snapshot(domains={DOMAIN.id: DOMAIN}, roles=dict(ROLES))
    read.projects = {f"p{n}": Project(f"p{n}", f"project-{n}", DOMAIN.id, enabled=True) for n in range(PROJECTS)}
    read.people = {f"u{n}": Person(f"u{n}", f"person-{n}", DOMAIN.id, enabled=True) for n in range(first, people)}
    for person in range(first, people):
        for number in range(each):
            place, role = f"p{(person + number) % PROJECTS}", f"r{number // PROJECTS + 1}"
            read.assignments.add(Assignment(f"u{person}", "project", place, role))
    return read


def queries_of(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def running() -> set[tuple[str, str, str]]:
    """(person, role, project) of Keystone's."""
    rows = Grant.objects.filter(source="keystone", ended_at=None)
    return set(rows.values_list("user__external_id", "role", "tenant__external_id"))


@pytest.fixture
def people() -> list[User]:
    rows = [User(username=f"u{n}", source="keystone", external_id=f"u{n}") for n in range(130)]
    return User.objects.bulk_create(rows)


def test_what_roles_cost_grows_by_statements_for_dozens_of_them(people: list[User]) -> None:
    """What costs a query of its own for each role is at ten times the bound."""
    home = Organization.objects.create(name="house")
    tenants = [Tenant.objects.create(name=f"t{number}", organization=home).pk for number in range(4)]

    def settled(some: list[User], roles: set[settling.Role]) -> int:
        return queries_of(lambda: settling.settle({user.pk: roles for user in some}))

    roles: set[settling.Role] = {("project.guest", tenant) for tenant in tenants}
    few, many = settled(people[:10], roles), settled(people[10:], roles)
    assert Grant.objects.filter(ended_at=None).count() == 520
    assert many - few < 44
    few, many = settled(people[:10], set()), settled(people[10:], set())
    assert not Grant.objects.filter(ended_at=None).exists()
    assert many - few < 44


def test_following_costs_less_than_a_query_for_each_role_and_next_to_none_unchanged() -> None:
    sync.apply(cloud(30))
    assert queries_of(lambda: sync.apply(cloud(130))) < 400, "a hundred people and 400 roles more"
    assert queries_of(lambda: sync.apply(cloud(130))) < 12


def test_each_role_is_on_record_and_each_person_told_once() -> None:
    assert sync.apply(cloud(60)) == settling.Outcome(given=240, ended=0)
    given = AuditEntry.objects.filter(action="grant.give")
    said = {(entry.after["person"], entry.after["role"], str(entry.tenant_id)) for entry in given}
    rows = Grant.objects.filter(source="keystone").values_list("user__username", "role", "tenant_id")
    assert len(said) == given.count() == 240
    assert said == {(person, role, str(tenant)) for person, role, tenant in rows}
    assert {(entry.before, entry.actor_name, entry.target_kind) for entry in given} == {(None, "keystone", "tenant")}
    told = Counter(Change.objects.filter(kind="person").values_list("object_id", "person_id"))
    assert {(str(pk), pk) for pk in User.objects.values_list("pk", flat=True)} == set(told)
    assert set(told.values()) == {1}
    assert sync.apply(cloud(60, each=3)) == settling.Outcome(given=0, ended=60)
    ended = AuditEntry.objects.filter(action="grant.end")
    assert {(entry.after, entry.target_id == str(entry.tenant_id)) for entry in ended} == {(None, True)}
    gone = Grant.objects.exclude(ended_at=None).values_list("user__username", "tenant_id")
    assert {(entry.before["person"], entry.tenant_id) for entry in ended} == set(gone)
    assert len(chain.chains()) == PROJECTS
    assert all(chain.verify(one).holds for one in chain.chains())


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`killed(2)`: after two more parts the process is gone."""

    def after(number: int) -> None:
        left = iter(range(number))

        def settle(due: settling.Due) -> settling.Outcome:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return settling.settle(due)

        monkeypatch.setattr(sync, "settle", settle)

    return after


def test_killed_in_the_middle_the_next_one_does_the_rest(killed: Callable[[int], None]) -> None:
    killed(2)
    with pytest.raises(KeyboardInterrupt):
        sync.apply(cloud(100))
    done = len(running())
    assert 0 < done < 400
    assert AuditEntry.objects.filter(action="grant.give").count() == done
    killed(100)
    assert sync.apply(cloud(100)) == settling.Outcome(given=400 - done, ended=0)
    assert (len(running()), Grant.objects.count()) == (400, 400)
    assert AuditEntry.objects.filter(action="grant.give").count() == 400
    assert sync.apply(cloud(100)) == settling.Outcome(given=0, ended=0)


def test_what_fails_leaves_neither_roles_nor_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr(settling, "record_all", broken)
    with pytest.raises(RuntimeError):
        sync.apply(cloud(5))
    assert not Grant.objects.exists()
    assert not Change.objects.filter(kind="person").exists()


def test_who_comes_in_meanwhile_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two parts the last of all signs in: their account, tenants and roles are made then, and only then."""
    last = cloud(40, first=39)
    last.about = "u39"
    came: list[settling.Outcome] = []

    def rest(_seconds: float) -> None:
        if User.objects.count() == pace.ROWS and not came:
            came.append(settling.Outcome(0, 0))
            came.append(sync.apply(last))

    monkeypatch.setattr(pace, "sleep", rest)
    assert sync.apply(cloud(40)) == settling.Outcome(given=156, ended=0)
    assert came[-1] == settling.Outcome(given=4, ended=0)
    assert (User.objects.count(), Tenant.objects.count(), len(running())) == (40, PROJECTS, 160)


def test_there_is_a_rest_after_each_part_but_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as long as the part took, and not for ever."""
    clock, rests = [0.0], list[float]()
    monkeypatch.setattr(pace, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pace, "sleep", rests.append)
    for took in pace.unhurried([0.1, 5.0, 0.2]):
        clock[0] += took
    assert rests == pytest.approx([0.0, 0.2, pace.LONGEST_REST])


def test_people_stay_whole_and_parts_small() -> None:
    assert list(pace.weighed({"a": 20, "b": 5, "c": 1, "d": 300, "e": 2})) == [["a", "b"], ["c"], ["d"], ["e"]]
    assert list(pace.weighed({})) == []


def test_the_same_name_at_once_is_two_people_and_two_tenants() -> None:
    read = cloud(2, each=1)
    read.domains["d2"] = Domain("d2", "house", enabled=True)
    for key in ("u0", "u1"):
        read.people[key] = Person(key, "ann", "d" if key == "u0" else "d2", enabled=True)
    read.projects |= {"p0": Project("p0", "shop", "d", enabled=True), "p1": Project("p1", "shop", "d2", enabled=True)}
    sync.apply(read)
    names = User.objects.order_by("external_id").values_list("username", flat=True)
    assert list(names) == ["ann@house", "ann@house-u1"]
    homes = Tenant.objects.order_by("external_id").values_list("name", "organization__name")
    assert list(homes) == [("shop", "house"), ("org-house-shop", "org-house")]
