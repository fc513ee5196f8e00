"""One file with every kept key: accepted, stored in one form, written out, read back, and built."""

import json
from typing import Any

from apps.specification import build, layers, plain_data, read_data, read_text, stored
from apps.specification.allowed import ENTRIES, MODELS, allowed_keys
from apps.specification.refusals import pattern_of
from backends.contract.spec import (
    FileMount,
    HealthCheck,
    Port,
    Resources,
    RestartPolicy,
    ServiceRef,
    ServiceSpec,
    TmpfsMount,
    UpdatePolicy,
    VolumeMount,
)
from tests.apps.specification.stage import COMPLETE, DIGEST, context, kept

SPECIFICATION = read_text(COMPLETE).specification
CONFIG = b'events {}\nhttp { server { return 200 "$host"; } }\n'


def _written_keys(data: object, loc: tuple[str | int, ...] = ()) -> set[str]:
    found: set[str] = set()
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        found |= {pattern_of((*loc, key))} | _written_keys(value, (*loc, key))
    return found


def test_the_example_has_every_key_that_is_kept() -> None:
    written = _written_keys(plain_data(COMPLETE))
    wanted = {f"{place}.{key}".lstrip(".") for place in MODELS for key in allowed_keys(place)}
    assert wanted - written == set()


def test_what_is_exported_reads_back_as_the_same() -> None:
    again = read_text(SPECIFICATION.to_yaml()).specification
    assert again.canonical() == SPECIFICATION.canonical()
    assert again.to_yaml() == SPECIFICATION.to_yaml()
    assert again.spec_hash == SPECIFICATION.spec_hash


def test_what_is_stored_reads_back_as_the_same() -> None:
    as_json = json.loads(json.dumps(SPECIFICATION.canonical()))
    assert stored(as_json).canonical() == SPECIFICATION.canonical()
    assert read_text(json.dumps(as_json)).specification.canonical() == SPECIFICATION.canonical()


def test_the_stored_form_does_not_depend_on_the_order_written() -> None:
    def turned(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: turned(value) for key, value in reversed(data.items())}
        return data

    assert read_data(turned(SPECIFICATION.canonical())).specification.spec_hash == SPECIFICATION.spec_hash


def test_the_complete_service_is_built_as_written() -> None:
    built = {spec.ref.service: spec for spec in build(SPECIFICATION, context=_context())}
    assert built["web"] == ServiceSpec(
        ref=ServiceRef("env-1", "app-1", "web"),
        image=f"docker.io/library/web@{DIGEST}",
        instances=3,
        aliases=("web",),
        entrypoint=("/entry", "--verbose"),
        command=("serve", "--port", "8080", "--name", "two words"),
        environment=(
            ("EMPTY", ""),
            ("FRACTION", "1.10"),
            ("NUMBER", "0755"),
            ("PLAIN", "text"),
            ("PRICE", "5$"),
            ("SWITCH", "true"),
            ("discovery.type", "single-node"),
        ),
        ports=(
            Port(8080),
            Port(8443),
            Port(9000, "udp"),
            Port(3000, published=False),
            Port(4000, "udp", published=False),
            Port(4001, "udp", published=False),
        ),
        health=HealthCheck(("/bin/check", "--fast"), 90.0, 1.5, 5, 0.5),
        resources=Resources(500, 250, 256 << 20, 128 << 20, 100),
        update=UpdatePolicy(2, 1.0, 10.0, start_first=False, max_failure_ratio=0.1),
        restart=RestartPolicy("on-failure", 5.0, 3, 120.0),
        volumes=(
            VolumeMount("app-1-data", "/var/lib/data"),
            VolumeMount("app-1-media", "/media", read_only=True, size_bytes=20 << 30),
        ),
        tmpfs=(TmpfsMount("/run"), TmpfsMount("/var/cache/web", 64 << 20)),
        files=(
            FileMount(f"config-nginx-{len(CONFIG)}", "/nginx", CONFIG),
            FileMount(f"config-nginx-{len(CONFIG)}", "/etc/nginx/nginx.conf", CONFIG, 0o440, 101, 102),
            FileMount("secret-token-6", "/run/secrets/token", b"hidden", secret=True),
            FileMount("secret-token-6", "/run/secrets/second", b"hidden", 0o400, secret=True),
        ),
        host_labels=(("disk", "ssd"), ("zone", "a")),
        max_per_host=2,
        user="1000:1000",
        working_dir="/srv/app",
        read_only=True,
        init=False,
        stop_grace_seconds=30.0,
        labels=(("com.example.team", "shop"),),
        image_name="registry.example.com:5000/team/web:1.4",
    )
    assert built["db"].health == HealthCheck(("/bin/sh", "-c", "pg_isready || exit 1"))
    assert built["cache"].health == HealthCheck(())
    assert built["api"].health == HealthCheck(
        ("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz?deep=1"), 10.0, 2.0, 2, 20.0
    )
    assert built["queue"].health == HealthCheck(("nc", "-z", "127.0.0.1", "5672"))


def test_services_are_built_in_starting_order() -> None:
    assert layers(SPECIFICATION) == [["api", "cache", "db", "queue"], ["web"]]
    assert [spec.ref.service for spec in build(SPECIFICATION, context=_context())][-1] == "web"


def test_a_plain_service_keeps_what_the_image_says() -> None:
    (built,) = build(read_data({"services": {"db": {"image": "postgres"}}}).specification, context=_context())
    assert (built.instances, built.command, built.entrypoint, built.health, built.user) == (1, None, None, None, None)
    assert built.resources == Resources()
    assert built.init is True


def test_keys_with_nothing_behind_them_count_as_not_written() -> None:
    assert kept(environment=None, ports=None, command=None, deploy=None) == kept()


def test_every_place_of_the_model_is_known_to_the_table_of_keys() -> None:
    assert all(allowed_keys(place) for place in MODELS)
    assert all(ENTRIES.values())


def _context() -> Any:
    return context(SPECIFICATION.services, secrets={"token": b"hidden"})
