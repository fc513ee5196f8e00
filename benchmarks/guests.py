"""Makes people who are signed in: `python -m benchmarks.inside benchmarks.guests --number 5000` prints a key each.

Runs in a process of its own with the portal's BERTH_STATE, beside the portal that serves.
"""

import argparse
import secrets
from importlib import import_module
from typing import Any

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
    store = import_module(settings.SESSION_ENGINE).SessionStore
    rows = [session_of(person, store()) for person in people]
    store.get_model_class().objects.bulk_create(rows, batch_size=1000)
    return [row.session_key for row in rows]


def session_of(person: User, session: Any) -> Any:
    """The row of a session as signing in would make it."""
    session._session_key = secrets.token_hex(16)
    data = {
        SESSION_KEY: str(person.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: person.get_session_auth_hash(),
    }
    return session.create_model_instance(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=5000)
    parser.add_argument("--name", default="guest", help="what they are called, before their number")
    asked = parser.parse_args()
    print("\n".join(invite(asked.number, name=asked.name)))
