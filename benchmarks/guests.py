"""Makes people who are signed in: `python -m benchmarks.inside benchmarks.guests --number 5000` prints a key each.

Runs in a process of its own with the portal's BERTH_STATE, beside the portal that serves.
"""

import argparse
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction

from tenants.models import Grant, Project, User


@transaction.atomic
def invite(number: int, *, name: str = "guest") -> list[str]:
    """So many guests of the demo project, each with a session; their session keys."""
    project = Project.objects.get(name="shop", tenant__name="demo")
    people = [User(username=f"{name}-{place}", password="!") for place in range(number)]  # noqa: S106  none can sign in
    User.objects.bulk_create(people, batch_size=1000)
    role = {"role": "project.guest", "project": project, "tenant_id": project.tenant_id}
    Grant.objects.bulk_create([Grant(user=person, **role) for person in people], batch_size=1000)
    return [sign_in(person) for person in people]


def sign_in(person: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=5000)
    parser.add_argument("--name", default="guest", help="what they are called, before their number")
    asked = parser.parse_args()
    print("\n".join(invite(asked.number, name=asked.name)))
