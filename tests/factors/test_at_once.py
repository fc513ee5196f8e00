"""One code sent many times at the very same moment opens one door."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection

from core.access import Actor
from core.secrets import Secret
from tenants.factors import codes, services
from tests.conftest import Cast
from tests.factors.keys import code_of

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
AT_ONCE = 4
pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite in memory is one connection"),
    pytest.mark.django_db(transaction=True),
]


def accepted(actor: Actor, cast: Cast, code: str) -> list[str]:
    barrier = Barrier(AT_ONCE)

    def run(_turn: int) -> str:
        barrier.wait(10)
        try:
            return codes.accepted(actor, cast.developer, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return sorted(threads.map(run, range(AT_ONCE)))


def test_one_code_many_times(cast: Cast) -> None:
    actor = cast.actor("developer")
    services.add_app(actor, cast.developer, secret=Secret(SECRET), code=Secret(code_of(SECRET, later=-1)))
    recovery = services.make_codes(actor, cast.developer)[0]
    assert accepted(actor, cast, code_of(SECRET, later=1)) == ["", "", "", "code"]
    assert accepted(actor, cast, recovery) == ["", "", "", "recovery code"]
    row = Authenticator.objects.get(type="recovery_codes")
    assert len(row.wrap().get_unused_codes()) == 9
