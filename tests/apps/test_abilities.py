"""What a cluster does in its own way is said before a deployment, on its page, and over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from apps.preflight import Finding, mended, preflight
from apps.specification import Specification, read_data
from backends import registry
from backends.contract import Capabilities
from backends.fake import FakeDriver
from backends.models import Cluster
from tests.conftest import Cast

OTHER = replace(Capabilities(), names_users=False, restart_policies=False)


@pytest.fixture
def other(driver: FakeDriver) -> None:
    """The fake cluster takes numbers for users and restarts whatever ends."""
    registry.register(Cluster.Kind.FAKE, lambda _cluster: driver, OTHER)


def wanting(**keys: Any) -> Specification:
    return read_data({"services": {"web": {"image": "berth/hello:1"} | keys}}).specification


def findings(cast: Cast, place: AppEnvironment, spec: Specification) -> dict[str, Finding]:
    return {one.code: one for one in preflight(cast.actor("developer"), place, spec)}


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("user", ["app", "1000:staff", "app:1000"])
def test_a_user_that_is_a_name_is_refused_before_the_cluster_does(cast: Cast, place: AppEnvironment, user: str) -> None:
    spec = wanting(user=user)
    finding = findings(cast, place, spec)["user_not_a_number"]
    assert finding.level == "bad"
    assert user in finding.message
    assert "user_not_a_number" not in findings(cast, place, mended(spec, finding.mend))


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("user", [None, "1000", "1000:1000"])
def test_numbers_and_the_image_s_own_user_are_fine(cast: Cast, place: AppEnvironment, user: str | None) -> None:
    assert "user_not_a_number" not in findings(cast, place, wanting(**({"user": user} if user else {})))


@pytest.mark.usefixtures("other")
def test_a_restart_policy_that_is_not_kept_is_said(cast: Cast, place: AppEnvironment) -> None:
    spec = wanting(deploy={"restart_policy": {"condition": "on-failure"}})
    finding = findings(cast, place, spec)["always_restarted"]
    assert finding.level == "warn"
    assert "always_restarted" not in findings(cast, place, mended(spec, finding.mend))


def test_nothing_is_said_where_the_cluster_can(cast: Cast, place: AppEnvironment) -> None:
    spec = wanting(user="app", deploy={"restart_policy": {"condition": "none"}})
    assert not findings(cast, place, spec).keys() & {"user_not_a_number", "always_restarted"}


@pytest.mark.usefixtures("other")
def test_the_cluster_s_page_and_the_api_say_how_it_does_things(
    browse: Callable[[str], Client], api: Callable[[str], APIClient], cast: Cast
) -> None:
    page = browse("operator").get(f"/clusters/{cast.cluster.name}/").content.decode()
    assert "Ended instances are always started again." in page
    assert "Logs tell output and errors apart." in page
    shown = api("operator").get(f"/api/v1/clusters/{cast.cluster.name}").json()
    assert shown["capabilities"]["restart_policies"] is False
    assert shown["capabilities"]["tells_streams"] is True
