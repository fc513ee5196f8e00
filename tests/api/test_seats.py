"""Seats: each kind is counted for itself, for a person and for a tenant, and given back once."""

import uuid

import pytest

from core.errors import TooMany
from core.seats import LIMITS, Limit, held, take, taken

ANNA, BEN, ACME, GLOBEX = (uuid.uuid4() for _each in range(4))


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "console", Limit(person=2, tenant=3))


def test_a_person_is_limited_alone() -> None:
    with taken(ANNA, ACME, kind="console"), taken(ANNA, ACME, kind="console"):
        with pytest.raises(TooMany) as refused:
            take(ANNA, ACME, kind="console")
        assert refused.value.hint
        assert refused.value.retry_after_seconds
        with taken(ANNA, ACME, kind="log"), taken(BEN, ACME, kind="console"):
            assert held(ANNA, kind="console") == 2
    assert held(ANNA, kind="console") == 0


def test_a_tenant_is_limited_without_touching_another() -> None:
    seats = [take(ANNA, ACME, kind="console"), take(ANNA, ACME, kind="console"), take(BEN, ACME, kind="console")]
    with pytest.raises(TooMany):
        take(BEN, ACME, kind="console")
    with taken(BEN, GLOBEX, kind="console"):
        pass
    for seat in seats:
        seat.give_back()
        seat.give_back()
    with taken(BEN, ACME, kind="console"):
        assert held(BEN, kind="console") == 1
