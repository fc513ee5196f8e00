"""The platform's own accounts: nobody changes another's password, and Django's flags open nothing."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.models import AppEnvironment
from portal.checks import routes
from tenants.models import User
from tenants.rights import rights_of
from tests.conftest import Cast
from tests.rules import addresses
from tests.rules.test_addresses import things

SENT = {
    "person": "owner",
    "user": "owner",
    "username": "owner",
    "subject": "owner",
    "password": "a password of the attacker",
    "new": "a password of the attacker",
    "again": "a password of the attacker",
    "new_password1": "a password of the attacker",
    "new_password2": "a password of the attacker",
    "reason": "x",
    "is_superuser": "on",
}


@pytest.mark.wide
def test_no_address_changes_anothers_password(
    running: AppEnvironment, cast: Cast, browse: Callable[[str], Client]
) -> None:
    """An operator sends everything everywhere. Lost factors they take away, with a reason and on record; no more."""
    User.objects.filter(pk=cast.owner.pk).update(is_superuser=True)
    before = dict(User.objects.values_list("username", "password"))
    Client().force_login(cast.owner)  # a session of theirs is one of the things there are
    names, tried = things(running, cast), 0
    for route in routes():
        if route.public:
            continue
        path = addresses.filled(route, lambda kind, name: names.get(name, addresses.OF_KIND[kind]))
        for method in ("post", "put", "patch"):
            client = browse("operator")
            client.raise_request_exception = False
            kind = {"content_type": "application/json"} if path.startswith("/api/") else {}
            getattr(client, method)(path, SENT, **kind)
            tried += 1
    after = dict(User.objects.filter(username__in=before).values_list("username", "password"))
    assert after == before
    assert tried > 200
    assert set(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == {"owner"}


def test_djangos_flags_open_nothing(cast: Cast, browse: Callable[[str], Client]) -> None:
    """What counts are grants. Whoever got a flag into the table sees no tenant and no page of the platform by it."""
    plain = rights_of(cast.outsider)
    User.objects.filter(pk=cast.outsider.pk).update(is_superuser=True, is_staff=True)
    flagged = User.objects.get(pk=cast.outsider.pk)
    assert rights_of(flagged) == plain
    client = browse("outsider")
    for path in ("/admin/", "/t/acme/", "/api/v1/tenants/acme"):
        assert client.get(path).status_code == 404, path
    for path in ("/keystone/", "/accounts/lost-factors/"):
        assert client.get(path).status_code == 403, path
