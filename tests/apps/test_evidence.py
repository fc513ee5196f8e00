"""How instances ended, kept once, whoever sees it first."""

import pytest
from django.utils import timezone

from apps import evidence
from apps.models import AppEnvironment, InstanceEnd
from backends.contract import InstanceState, InstanceStatus, Phase, ServiceRef, ServiceStatus
from backends.fake import FakeDriver

pytestmark = pytest.mark.django_db


def test_an_end_that_a_look_kept_first_belongs_to_the_deployment_all_the_same(
    running: AppEnvironment, driver: FakeDriver
) -> None:
    whose = {"tenant": running.tenant, "project": running.project, "place": running}
    InstanceEnd.objects.create(**whose, service="web", number=1, engine_id="gone", ended_at=timezone.now())
    ref = ServiceRef("e", "a", "web")
    ended = InstanceStatus("gone", ref, 1, InstanceState.FAILED, wanted=True, revision="r")
    evidence.keep(running, ServiceStatus(ref, Phase.FAILING, 1, 0, 0, instances=(ended,)), driver)
    assert InstanceEnd.objects.get().deployment == running.deployments.order_by("-number").first()
    assert running.deployments.exists()
