"""What would fail, said before it is tried; and each mend makes its line green."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.models import AppEnvironment, Environment, ObservedInstance
from apps.preflight import Finding, mended, preflight
from apps.services import create_app, deploy
from apps.specification import Specification, from_image, read_data
from apps.views.deploy_where import where_of
from backends.contract import HealthCheck, ImageInfo
from backends.models import Cluster, Host
from core.errors import Invalid
from images.models import Artifact, Repository, Tag
from images.services import offer_image
from tests.conftest import Cast

GIB = 1 << 30
CHECK = "spec.services.web.healthcheck"
ROWS = ("app", "environment__cluster", "project", "release")
Offer = Callable[..., Artifact]


@pytest.fixture
def offer(cast: Cast) -> Offer:
    """`offer("berth/hello:1", mark="a")`: an image of the list, lying on the fake cluster."""

    def make(name: str, *, mark: str = "a", ports: tuple[str, ...] = ("8080/tcp",), check: bool = True,
             platform: str = "", cluster: Cluster | None = None) -> Artifact:  # fmt: skip
        repository, _colon, tag = name.rpartition(":")
        digest = f"sha256:{mark * 64}"
        info = ImageInfo(
            reference=name, pinned=f"{repository}@{digest}", digest=digest, size_bytes=1, ports=ports,
            health=HealthCheck(("true",)) if check else None, platform=platform,
        )  # fmt: skip
        return offer_image(cast.actor("operator"), cluster or cast.cluster, repository=repository, tag=tag, info=info)

    return make


@pytest.fixture
def host(cast: Cast) -> Host:
    """One host: 4 cores and 8 GiB, 1 core and 2 GiB of it held."""
    return Host.objects.create(
        cluster=cast.cluster, engine_id="h1", name="h1", ready=True, platform="linux/amd64", labels={"zone": "a"},
        cpu_millicores=4000, cpu_reserved=1000, memory_bytes=8 * GIB, memory_reserved=2 * GIB, seen_at=timezone.now(),
    )  # fmt: skip


def one(**keys: Any) -> Specification:
    """An app of the service web."""
    return read_data({"services": {"web": {"image": "berth/hello:1"} | keys}}).specification


def found(cast: Cast, place: AppEnvironment, spec: Specification, code: str, *, who: str = "developer") -> Finding:
    lines = {finding.code: finding for finding in preflight(cast.actor(who), place, spec)}
    assert code in lines, lines
    return lines[code]


def green_after(cast: Cast, place: AppEnvironment, spec: Specification, finding: Finding) -> Specification:
    """The mended specification, in which nothing bad or doubtful of that kind is left."""
    assert finding.mend
    assert finding.button
    after = mended(spec, finding.mend)
    left = [line for line in preflight(cast.actor("developer"), place, after) if line.code == finding.code]
    assert all(line.level == "ok" for line in left), left
    return after


def reserving(replicas: int, **amounts: str) -> Specification:
    return one(deploy={"replicas": replicas, "resources": {"reservations": amounts}})


def test_all_is_well(cast: Cast, place: AppEnvironment, offer: Offer, host: Host) -> None:
    offer("berth/hello:1")
    lines = preflight(cast.actor("developer"), place, one(ports=[8080]))
    assert {line.level for line in lines} == {"ok"}
    assert {line.code for line in lines} == {"allowed", "image_known", "ports", "no_quota", "capacity"}


def test_a_missing_tag_offers_the_newest(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    for tag, mark in (("1.9.0", "a"), ("1.10.0", "b"), ("crash", "c")):
        offer(f"berth/hello:{tag}", mark=mark)
    spec = one(image="berth/hello:1.6")
    finding = found(cast, place, spec, "image_missing")
    assert (finding.level, finding.button) == ("bad", "Use hello:1.10.0")
    assert green_after(cast, place, spec, finding).services["web"].image == "berth/hello:1.10.0"
    with pytest.raises(Invalid):
        deploy(cast.actor("developer"), place, spec=spec)


def test_a_misspelled_tag_offers_the_one_that_was_meant(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:2")
    offer("berth/hello:unhealthy", mark="b")
    spec = one(image="berth/hello:unhealty")
    assert (
        green_after(cast, place, spec, found(cast, place, spec, "image_missing"))
        .services["web"]
        .image.endswith(":unhealthy")
    )


def test_a_newer_version_is_offered_with_the_old_one(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:1")
    assert not found(cast, place, one(), "image_known").mend
    offer("berth/hello:2", mark="b")
    finding = found(cast, place, one(), "image_known")
    assert (finding.level, finding.mend) == ("ok", {"spec.services.web.image": "berth/hello:2"})


def test_a_misspelled_name_offers_the_one_of_the_list(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:2")
    spec = one(image="berth/helo:2")
    finding = found(cast, place, spec, "image_unknown")
    assert finding.level == "warn"
    assert green_after(cast, place, spec, finding).services["web"].image == "berth/hello:2"
    assert not found(cast, place, one(image="registry.example/other/thing:1"), "image_unknown").mend


def test_an_image_of_a_registry_is_only_unknown(cast: Cast, place: AppEnvironment) -> None:
    """Where the list is not all there is, a tag it lacks may be there all the same."""
    home = Repository.objects.create(name="acme/api", tenant=cast.acme)
    artifact = Artifact.objects.create(repository=home, digest=f"sha256:{'d' * 64}", pinned="p")
    Tag.objects.create(repository=home, name="3", artifact=artifact)
    spec = one(image="acme/api:4")
    finding = found(cast, place, spec, "image_unknown")
    assert finding.level == "warn"
    green_after(cast, place, spec, finding)


def test_an_image_on_another_cluster_leads_to_the_environment_there(
    cast: Cast, place: AppEnvironment, offer: Offer
) -> None:
    other = Cluster.objects.create(name="other", kind=Cluster.Kind.FAKE, address="fake://")
    offer("berth/hello:1", cluster=other)
    assert not found(cast, place, one(), "image_elsewhere").mend
    Environment.objects.filter(project=cast.shop, name="test").update(cluster=other)
    assert found(cast, place, one(), "image_elsewhere").mend == {"environment": "test"}
    there = place.app.places.select_related(*ROWS).get(environment__name="test")
    assert found(cast, there, one(), "image_known").level == "ok"


def test_an_image_for_another_platform(cast: Cast, place: AppEnvironment, offer: Offer, host: Host) -> None:
    offer("berth/hello:1", platform="linux/arm64")
    assert not found(cast, place, one(), "image_platform").mend
    offer("berth/hello:1-amd64", mark="b", platform="linux/amd64")
    finding = found(cast, place, one(), "image_platform")
    assert finding.level == "bad"
    assert green_after(cast, place, one(), finding).services["web"].image == "berth/hello:1-amd64"


def test_a_tag_that_moved_keeps_what_runs(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:1")
    deploy(cast.actor("developer"), place, spec=one())
    place.refresh_from_db()
    offer("berth/hello:1", mark="b")
    finding = found(cast, place, one(), "tag_moved")
    assert finding.level == "warn"
    assert green_after(cast, place, one(), finding).services["web"].image == f"berth/hello@sha256:{'a' * 64}"


def test_latest_offers_the_version_it_means_today(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:latest")
    assert "@sha256:" in str(found(cast, place, one(image="berth/hello"), "tag_floats").mend)
    offer("berth/hello:2.1")
    spec = one(image="berth/hello")
    assert green_after(cast, place, spec, found(cast, place, spec, "tag_floats")).services["web"].image.endswith(":2.1")


def test_a_port_the_image_does_not_know(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:1", ports=("8080/tcp", "53/udp"))
    spec = one(ports=[80, "53/udp"])
    finding = found(cast, place, spec, "port_not_in_image")
    assert (finding.level, finding.button) == ("warn", "Use port 8080, 53/udp")
    ports = green_after(cast, place, spec, finding).services["web"].published_ports
    assert [port.short() for port in ports] == ["53/udp", "8080"]


def test_the_same_port_of_two_services_is_no_conflict(cast: Cast, place: AppEnvironment) -> None:
    service = {"image": "berth/hello:1", "ports": ["8080:8080"]}
    spec = read_data({"services": {"a": service, "b": service}}).specification
    finding = found(cast, place, spec, "ports")
    assert (finding.level, "a/b :8080" in finding.message) == ("ok", True)
    assert "address of its own" in finding.hint


@pytest.mark.parametrize(
    ("image", "ports", "expected"),
    [
        ("berth/hello:1", ("8080/tcp",), {"spec.services.web.x-berth.health": {"tcp": {"port": 8080}}}),
        ("httpd:2", ("80/tcp",), {"spec.services.web.x-berth.health": {"http": {"port": 80, "path": "/"}}}),
        ("postgres:16", ("5432/tcp",), {CHECK: {"test": ["CMD-SHELL", "pg_isready -U postgres"]}}),
        ("redis:7", ("6379/tcp",), {CHECK: {"test": ["CMD", "redis-cli", "ping"]}}),
    ],
)  # fmt: skip
def test_a_health_check_that_fits(
    cast: Cast, place: AppEnvironment, offer: Offer, image: str, ports: tuple[str, ...], expected: dict[str, Any]
) -> None:
    offer(image, ports=ports, check=False)
    spec = one(image=image)
    finding = found(cast, place, spec, "no_health_check")
    assert finding.mend == expected
    green_after(cast, place, spec, finding)


def test_no_check_is_offered_where_none_can_be_known(cast: Cast, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:1", ports=(), check=False)
    assert not found(cast, place, one(), "no_health_check").mend


def test_a_name_that_another_app_has(cast: Cast, running: AppEnvironment) -> None:
    other = create_app(cast.actor("developer"), cast.shop, name="second")
    place = other.places.select_related(*ROWS).get(environment__name="dev")
    finding = found(cast, place, one(), "name_held")
    assert (finding.level, "second-web" in finding.message) == ("warn", True)


def test_secrets_are_taken_out(cast: Cast, place: AppEnvironment) -> None:
    spec = read_data(
        {"services": {"web": {"image": "x:1", "secrets": ["key"]}}, "secrets": {"key": {"external": True}}}
    ).specification
    finding = found(cast, place, spec, "secret_not_set")
    assert (finding.level, finding.button) == ("bad", "Take it out")
    assert not green_after(cast, place, spec, finding).services["web"].secrets


def test_an_empty_variable_is_taken_out(cast: Cast, place: AppEnvironment) -> None:
    spec = one(environment={"A": "", "B": "x", "odd.name": " "})
    finding = found(cast, place, spec, "variable_empty")
    assert (finding.level, finding.button) == ("warn", "Take it out")
    assert green_after(cast, place, spec, finding).services["web"].environment == {"B": "x"}


def test_an_empty_variable_takes_the_value_of_another_environment(cast: Cast, running: AppEnvironment) -> None:
    there = running.app.places.select_related(*ROWS).get(environment__name="test")
    deploy(cast.actor("developer"), there, spec=one(environment={"CART_URL": "http://cart:8080", "PRICE": "5$$"}))
    spec = one(environment={"CART_URL": "", "PRICE": ""})
    finding = found(cast, running, spec, "variable_empty")
    assert finding.button == "Take the value of test"
    after = green_after(cast, running, spec, finding)
    assert after.services["web"].environment == {"CART_URL": "http://cart:8080", "PRICE": "5$"}


def test_values_of_production_do_not_come_down(cast: Cast, running: AppEnvironment) -> None:
    prod = running.app.places.select_related(*ROWS).get(environment__name="prod")
    deploy(cast.actor("owner"), prod, spec=one(environment={"KEY": "of production"}))
    finding = found(cast, running, one(environment={"KEY": ""}), "variable_empty")
    assert "of production" not in str(finding)


def test_a_limit_below_what_is_used(cast: Cast, running: AppEnvironment) -> None:
    ObservedInstance.objects.filter(place=running).delete()
    ObservedInstance.objects.create(
        tenant_id=running.tenant_id, project_id=running.project_id, place=running, service="web", number=1,
        engine_id="i", state="running", wanted=True, memory_bytes=300 << 20, seen_at=timezone.now(),
    )  # fmt: skip
    spec = one(deploy={"resources": {"limits": {"memory": "256Mi"}}})
    finding = found(cast, running, spec, "limit_below_use")
    assert finding.level == "warn"
    after = green_after(cast, running, spec, finding)
    assert after.services["web"].deploy.resources.limits.memory == 384 << 20


@pytest.mark.parametrize(
    ("spec", "code", "mend"),
    [
        (reserving(4, memory="2Gi"), "no_memory", {"spec.services.web.deploy.replicas": 3}),
        (reserving(4, cpus="1"), "no_cpu", {"spec.services.web.deploy.replicas": 3}),
        (reserving(1, memory="7Gi"), "no_memory", {"spec.services.web.deploy.resources.reservations.memory": "6144Mi"}),
        (reserving(1, cpus="3.5"), "no_cpu", {"spec.services.web.deploy.resources.reservations.cpus": "3"}),
    ],
)  # fmt: skip
def test_more_is_reserved_than_is_free(
    cast: Cast, place: AppEnvironment, host: Host, spec: Specification, code: str, mend: dict[str, Any]
) -> None:
    finding = found(cast, place, spec, code)
    assert (finding.level, finding.mend) == ("bad", mend)
    green_after(cast, place, spec, finding)
    with pytest.raises(Invalid):
        deploy(cast.actor("developer"), place, spec=spec)


def test_nothing_is_free_at_all(cast: Cast, place: AppEnvironment, host: Host) -> None:
    Host.objects.update(memory_reserved=8 * GIB)
    spec = reserving(2, memory="1Gi")
    finding = found(cast, place, spec, "no_memory")
    assert finding.button == "Reserve nothing"
    green_after(cast, place, spec, finding)


def test_room_is_counted_host_by_host(cast: Cast, place: AppEnvironment, host: Host) -> None:
    """Two halves are no whole: 6 and 6 GiB free do not take an instance of 8."""
    host.pk, host.engine_id = None, "h2"
    Host.objects.create(
        cluster=cast.cluster, engine_id="h2", name="h2", ready=True, cpu_millicores=4000, memory_bytes=6 * GIB,
        seen_at=timezone.now(),
    )  # fmt: skip
    assert found(cast, place, reserving(1, memory="8Gi"), "no_memory").level == "bad"
    assert found(cast, place, reserving(2, memory="6Gi"), "capacity").level == "ok"


def test_what_this_place_holds_itself_counts_as_free(cast: Cast, place: AppEnvironment, host: Host) -> None:
    deploy(cast.actor("developer"), place, spec=reserving(2, memory="3Gi"))
    place.refresh_from_db()
    Host.objects.update(memory_reserved=8 * GIB)
    assert found(cast, place, reserving(2, memory="3Gi"), "no_memory")
    for number in (1, 2):
        ObservedInstance.objects.create(
            tenant_id=place.tenant_id, project_id=place.project_id, place=place, service="web", number=number,
            engine_id=str(number), state="running", wanted=True, host=host, seen_at=timezone.now(),
        )  # fmt: skip
    assert found(cast, place, reserving(2, memory="3Gi"), "capacity")


def test_hosts_without_the_label(cast: Cast, place: AppEnvironment, host: Host) -> None:
    spec = one(deploy={"placement": {"constraints": ["node.labels.zone == b"]}})
    finding = found(cast, place, spec, "no_such_host")
    assert finding.level == "bad"
    assert not green_after(cast, place, spec, finding).services["web"].deploy.placement.constraints


def test_more_instances_than_hosts_may_take(cast: Cast, place: AppEnvironment, host: Host) -> None:
    spec = one(deploy={"replicas": 3, "placement": {"max_replicas_per_node": 2}})
    finding = found(cast, place, spec, "too_few_hosts")
    assert green_after(cast, place, spec, finding).services["web"].deploy.replicas == 2


def test_rights_name_what_is_missing_and_lead_elsewhere(cast: Cast, place: AppEnvironment) -> None:
    prod = place.app.places.select_related(*ROWS).get(environment__name="prod")
    finding = found(cast, prod, one(), "not_allowed")
    assert finding.level == "bad"
    assert "app.release" in finding.message
    assert "owner or admin of tenant acme" in finding.hint
    assert finding.mend == {"environment": "dev"}
    assert found(cast, place, one(), "allowed").level == "ok"


def test_a_cluster_that_is_away_or_never_seen(cast: Cast, place: AppEnvironment) -> None:
    assert found(cast, place, one(), "no_hosts").level == "warn"
    place.environment.cluster.state = Cluster.State.AWAY
    assert found(cast, place, one(), "cluster_away").level == "warn"


def test_no_quota_is_said(cast: Cast, place: AppEnvironment) -> None:
    assert found(cast, place, one(), "no_quota").message == "No limit is set for shop."


def test_the_same_over_http(api: Any, place: AppEnvironment, offer: Offer) -> None:
    offer("berth/hello:1")
    body = {"environment": "dev", "spec": {"services": {"web": {"image": "berth/hello:7"}}}}
    address = "/api/v1/tenants/acme/projects/shop/apps/hello/deployments?dry_run=true"
    answer = api("developer").post(address, body, format="json").json()
    assert answer["ready"] is False
    line = next(one for one in answer["findings"] if one["code"] == "image_missing")
    assert line["mend"] == {"spec.services.web.image": "berth/hello:1"}
    body["spec"] = mended(read_data(body["spec"]).specification, line["mend"]).canonical()
    assert api("developer").post(address, body, format="json").json()["ready"] is True


@pytest.mark.parametrize("path", ["spec.services.web.ports[0].x", "spec.", "spec.services.web.image.tag", "spec.a b"])
def test_a_mend_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        mended(one(ports=[80]), {path: 1})


def test_many_services_cost_few_queries(
    cast: Cast, place: AppEnvironment, offer: Offer, host: Host, django_assert_max_num_queries: Any
) -> None:
    offer("berth/hello:1")
    services = {f"s{n}": {"image": "berth/hello:1"} for n in range(20)}
    spec = read_data({"services": services}).specification
    with django_assert_max_num_queries(70):
        preflight(cast.actor("developer"), place, spec)


def test_an_app_that_is_not_there_yet(cast: Cast, host: Host) -> None:
    where = where_of(cast.actor("developer"), cast.shop, app="", environment="dev")
    spec = from_image("berth/hello:1", ports=[8080])
    codes = {line.code for line in preflight(cast.actor("developer"), where.place, spec)}
    assert {"allowed", "capacity"} <= codes
