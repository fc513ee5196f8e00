"""The one builder: what the context decides, and what it refuses."""

import pytest

from apps.specification import SpecificationError, build, from_image, layers, read_data, with_image
from apps.specification.ordering import circle, layers_of
from backends.contract.spec import Port, UpdatePolicy
from tests.apps.specification.stage import DIGEST, context, one_service

WEB = read_data(one_service(deploy={"replicas": 3})).specification


def test_the_context_decides_names_numbers_and_restarts() -> None:
    (spec,) = build(
        WEB,
        context=context(["web"], instances={"web": 7}, aliases={"web": ("web", "shop-web")}, restarts={"web": 2}),
    )
    assert (spec.instances, spec.aliases, spec.restarts) == (7, ("web", "shop-web"), 2)
    assert spec.ref.engine_name == "app-1-web"


def test_a_stopped_app_has_no_instances() -> None:
    (spec,) = build(WEB, context=context(["web"], instances={"web": 7}, stopped=True))
    assert spec.instances == 0


def test_scaling_is_not_another_revision_but_a_restart_is() -> None:
    (before,) = build(WEB, context=context(["web"]))
    (scaled,) = build(WEB, context=context(["web"], instances={"web": 5}))
    (restarted,) = build(WEB, context=context(["web"], restarts={"web": 1}))
    assert before.revision == scaled.revision != restarted.revision


@pytest.mark.parametrize("pinned", ["", "nginx:1", "--privileged", "nginx@sha256:abc", f"-x@{DIGEST}", "../x"])
def test_an_image_that_is_not_pinned_is_refused(pinned: str) -> None:
    with pytest.raises(SpecificationError) as raised:
        build(WEB, context=context(["web"], pinned={"web": pinned}))
    assert [(problem.field, problem.code) for problem in raised.value.errors] == [
        ("services.web.image", "image_not_pinned")
    ]


@pytest.mark.parametrize("pinned", [DIGEST, f"registry:5000/a/b@{DIGEST}", f"nginx:1@{DIGEST}"])
def test_pinned_images_are_passed_on_as_they_are(pinned: str) -> None:
    (spec,) = build(WEB, context=context(["web"], pinned={"web": pinned}))
    assert spec.image == pinned


@pytest.mark.parametrize("number", [-1, 1001, 10**9])
def test_an_override_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(SpecificationError):
        build(WEB, context=context(["web"], instances={"web": number}))


def test_a_secret_without_a_value_is_refused_and_never_shown() -> None:
    spec = read_data(one_service(secrets=["token"]) | {"secrets": {"token": None}}).specification
    with pytest.raises(SpecificationError) as raised:
        build(spec, context=context(["web"]))
    assert [problem.code for problem in raised.value.errors] == ["secret_not_set"]
    built = build(spec, context=context(["web"], secrets={"token": b"canary-91"}))
    assert built[0].files[0].content == b"canary-91"
    assert "canary-91" not in repr(built) + repr(context(["web"], secrets={"token": b"canary-91"}))


def test_a_service_with_data_is_stopped_before_it_is_replaced() -> None:
    with_data = one_service(volumes=["data:/data"]) | {"volumes": {"data": {}}}
    (spec,) = build(read_data(with_data).specification, context=context(["web"]))
    assert spec.update == UpdatePolicy(start_first=False)
    with_data["services"]["web"]["deploy"] = {"update_config": {"order": "start-first"}}
    (spec,) = build(read_data(with_data).specification, context=context(["web"]))
    assert spec.update.start_first
    (spec,) = build(WEB, context=context(["web"]))
    assert spec.update.start_first


def test_the_form_makes_a_specification() -> None:
    spec = from_image(
        "berth/hello:1",
        name="hello",
        ports=[8080],
        health={"http": {"port": 8080, "path": "/healthz"}},
        instances=3,
        cpu="0.5",
        memory="64Mi",
        environment={"COLOUR": "blue", "PRICE": "$5 ${X}"},
    )
    (built,) = build(spec, context=context(["hello"]))
    assert built.instances == 3
    assert built.ports == (Port(8080),)
    assert built.resources.cpu_limit == 500
    assert built.resources.memory_limit == 64 << 20
    assert dict(built.environment) == {"COLOUR": "blue", "PRICE": "$5 ${X}"}
    assert built.health is not None
    assert built.health.command[-1] == "http://127.0.0.1:8080/healthz"
    assert read_data(spec.canonical()).specification.spec_hash == spec.spec_hash


def test_the_form_says_which_field_is_wrong() -> None:
    with pytest.raises(SpecificationError) as raised:
        from_image("--privileged", name="web", ports=[0], instances=51, cpu="x", memory="1k", environment={"1": "x"})
    assert {problem.field for problem in raised.value.errors} == {
        "services.web.image",
        "services.web.ports[0]",
        "services.web.deploy.resources.limits.cpus",
        "services.web.deploy.resources.limits.memory",
        "services.web.environment.1",
    }
    with pytest.raises(SpecificationError) as raised:
        from_image("nginx", instances=51)
    assert [problem.code for problem in raised.value.errors] == ["too_many_instances"]


def test_another_image_goes_through_the_same_gate() -> None:
    assert with_image(WEB, "web", "nginx:2").services["web"].image == "nginx:2"
    assert with_image(WEB, "web", "nginx:2").services["web"].deploy.replicas == 3
    assert WEB.services["web"].image == "nginx:1.29"
    for service, image, field in (("web", "-x", "services.web.image"), ("db", "nginx", "services.db")):
        with pytest.raises(SpecificationError) as raised:
            with_image(WEB, service, image)
        assert [problem.field for problem in raised.value.errors] == [field]


def test_layers() -> None:
    services = {
        "web": {"image": "a", "depends_on": ["api", "cache"]},
        "api": {"image": "a", "depends_on": ["db", "cache"]},
        "cache": {"image": "a"},
        "db": {"image": "a"},
        "job": {"image": "a", "depends_on": ["db"]},
    }
    assert layers(read_data({"services": services}).specification) == [["cache", "db"], ["api", "job"], ["web"]]


def test_circles_are_found_whatever_hangs_on_them() -> None:
    assert circle({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"]}) in (["b", "c"], ["c", "b"])
    assert circle({"a": ["b"], "b": []}) == []
    with pytest.raises(ValueError, match="circle"):
        layers_of({"a": ["b"], "b": ["a"]})
