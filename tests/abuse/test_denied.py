"""Who sees a thing but may not change it is told so (403), and the attempt stays on record; nothing else happens."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEntry
from operations.models import Operation
from tenants.models import Token
from tests.abuse.test_isolation import addresses, ask, filled, known
from tests.conftest import Cast

__all__ = ["known"]

LOOKING_AGAIN = "/reviews"  # an auditor may begin an access review: it is how they look
ASKING = "/requests"  # who may not do a thing may ask for it: that is what it is there for
READING = "/import"  # sent as a body because it is a file; it changes nothing
WRITES = [(method, path) for method, path in addresses() if method != "get" and not path.endswith((READING, ASKING))]
OWN = ("/api/v1/tokens", "/api/v1/me", "/api/v1/notices", "/api/v1/sessions")  # everybody's own account


@pytest.mark.wide
@pytest.mark.parametrize("who", ["guest", "auditor"])
def test_every_write_of_who_may_only_look_is_on_record(who: str, known: dict[str, str], cast: Cast) -> None:
    _token, text = Token.objects.create(getattr(cast, who), name="tries")
    operations, denied, wrong = Operation.objects.count(), 0, []
    for method, pattern in WRITES:
        if pattern.startswith(OWN) or (who == "auditor" and LOOKING_AGAIN in pattern):
            continue
        before = AuditEntry.objects.count()
        status = ask(text, method, filled(pattern, known))[0]
        new = list(AuditEntry.objects.order_by("-seq")[: AuditEntry.objects.count() - before])
        if status < 400:
            wrong.append(f"{method} {pattern} was done: {status}")
        if status == 403:
            denied += 1
            said = [(one.result, one.actor_name, one.tenant_id) for one in new]
            if said != [("denied", who, cast.acme.pk)]:
                wrong.append(f"{method} {pattern}: on record is {said}")
        elif new:
            wrong.append(f"{method} {pattern}: {status}, and on record is {[one.result for one in new]}")
    assert wrong == []
    assert denied >= 3
    assert Operation.objects.count() == operations


def test_a_denial_names_the_right_and_who_gives_it(
    known: dict[str, str], cast: Cast, api: Callable[[str], APIClient]
) -> None:
    answer = api("guest").post(
        "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/restart", {}, format="json"
    )
    assert (answer.status_code, answer.json()["permission"]) == (403, "app.deploy")
    assert "acme" in answer.json()["hint"]
