"""One person's few projects among thousands, by our rights and by django-guardian's, on the same rows.

`python -m benchmarks.inside benchmarks.members --projects 3000 --runs 50` prints JSON. Runs with the portal's
BERTH_STATE, on the apps that `benchmarks.many` made: most projects hold none of them, so that each of the person's
three holds a thousand. A second run finds all made.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from guardian.models import UserObjectPermission
from guardian.shortcuts import get_objects_for_user

from apps.models import App
from benchmarks.guests import session_of
from benchmarks.many import save
from benchmarks.result import percentile
from benchmarks.rights import HELD, NAME, ROWS
from core.access import Actor, visible
from tenants.models import Grant, Project, Tenant, User
from tenants.rights import rights_of

WARM = 3


@transaction.atomic
def made(projects: int) -> User:
    """The member; all projects, a member for every three of them, and one reader an app as guardian keeps them."""
    known = User.objects.filter(username=NAME).first()
    if known is not None:
        return known
    filled = list(Project.objects.filter(name__startswith="p", tenant__name__startswith="bench-").order_by("id"))
    tenants = list(Tenant.objects.filter(name__startswith="bench-").order_by("id"))
    number = max(projects - len(filled), 0)
    others = [Project(tenant=tenants[one % len(tenants)], name=f"other-{one}") for one in range(number)]
    save(Project, others)
    people = [User(username=f"bench-person-{one}", password="!") for one in range(-(-projects // HELD))]  # noqa: S106
    save(User, people)
    member = User.objects.create(username=NAME, password="!")  # noqa: S106  nobody signs in with it
    theirs = filled[:: max(len(filled) // HELD, 1)][:HELD]
    owned = [(member, project) for project in theirs]
    owned += [(people[place // HELD], project) for place, project in enumerate([*filled, *others])]
    save(Grant, [grant(person, project) for person, project in owned])
    readers = {project.pk: person for person, project in reversed(owned)}
    kind = ContentType.objects.get_for_model(App)
    look = {"permission": Permission.objects.get(content_type=kind, codename="view_app"), "content_type": kind}
    rows = App.objects.filter(project__in=readers).values_list("pk", "project_id")
    save(UserObjectPermission, (UserObjectPermission(**look, object_pk=app, user=readers[home]) for app, home in rows))
    return member


def grant(person: User, project: Project) -> Grant:
    return Grant(user=person, role="project.developer", tenant_id=project.tenant_id, project=project)


def ours(person: User) -> list[App]:
    """Rights from the grants, then the newest apps that they show."""
    actor = Actor(person.pk, person.username, rights_of(person))
    return list(visible(actor, App.objects.filter(deleted_at=None)).order_by("-id")[:ROWS])


def guardians(person: User) -> list[App]:
    seen = get_objects_for_user(person, "apps.view_app", App.objects.filter(deleted_at=None))
    return list(seen.order_by("-id")[:ROWS])


def timed(act: Callable[[User], list[App]], person: User, runs: int) -> dict[str, Any]:
    """Each run with a person read anew, as a request has it, so that nothing is kept from the run before."""
    seconds, keys = list[float](), list[Any]()
    for run in range(WARM + runs):
        fresh = User.objects.get(pk=person.pk)
        began = time.perf_counter()
        keys = [row.pk for row in act(fresh)]
        seconds += [time.perf_counter() - began] if run >= WARM else []
    with CaptureQueriesContext(connection) as queries:
        act(User.objects.get(pk=person.pk))
    return {
        "p50": statistics.median(seconds),
        "p95": percentile(seconds, 0.95),
        "queries": len(queries) - 1,  # the person's own row
        "rows": [str(key) for key in keys],
    }


def rights_queries(person: User) -> int:
    with CaptureQueriesContext(connection) as queries:
        rights_of(person)
    return len(queries)


def session_key(person: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    row = session_of(person, store())
    row.save()
    return str(row.session_key)


def main(projects: int, runs: int) -> None:
    member = made(projects)
    found = {"ours": timed(ours, member, runs), "guardian": timed(guardians, member, runs)}
    assert found["ours"].pop("rows") == found["guardian"].pop("rows"), "the two do not give the same rows"
    theirs = Project.objects.filter(grants__user=member).values_list("tenant__name", "name")
    told = {
        "rights_queries": rights_queries(member),
        "session": session_key(member),
        "places": [list(place) for place in theirs],
        "projects": Project.objects.count(),
        "apps": App.objects.count(),
    }
    print(json.dumps(found | told))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--projects", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=50)
    asked = parser.parse_args()
    main(asked.projects, asked.runs)
