"""What is stopped with its project holds no quota, and needs it again to run."""

import pytest

from apps.models import AppEnvironment
from core.errors import Conflict
from tenants.quota.claiming import held_by
from tenants.quota.services import limit_project
from tests.apps.test_lifecycle import Turn, settle, state, turn
from tests.conftest import Cast

__all__ = ["settle", "turn"]


def test_stopped_it_holds_no_quota_and_needs_it_again_to_run(cast: Cast, running: AppEnvironment, turn: Turn) -> None:
    before = held_by(running.pk)
    assert before["instances"] == 3
    turn("suspend")
    assert held_by(running.pk).get("instances", 0) == 0
    limit_project(cast.actor("owner"), cast.shop, limits={"instances": 2})
    with pytest.raises(Conflict) as refused:
        turn("resume")
    assert refused.value.code == "quota_exceeded"
    assert state(cast) == "suspended"
    limit_project(cast.actor("owner"), cast.shop, limits={"instances": 3})
    assert turn("resume").state == "succeeded"
    assert held_by(running.pk) == before
