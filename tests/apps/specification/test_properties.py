"""Random documents: never anything but a specification or its refusal, and nothing but kept values beyond the gate."""

import json
import re
from dataclasses import asdict
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.specification import (
    Specification,
    SpecificationError,
    build,
    parse_image,
    plain_data,
    read_data,
    read_text,
)
from apps.specification.allowed import MODELS, allowed_keys
from apps.specification.image_reference import BadImageReference, is_pinned
from apps.specification.reading import Mode
from apps.specification.refusals import SERVICE
from apps.specification.reserved import RESERVED_LABELS
from core.names import is_label
from tests.apps.specification.stage import context

RELAXED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEYS = sorted(
    {key for place in MODELS for key in allowed_keys(place)}
    | set(SERVICE)
    | {
        "version",
        "name",
        "networks",
        "driver",
        "driver_opts",
        "external",
        "file",
        "bind",
        "source",
        "target",
        "web",
        "db",
    }
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "80:80",
            "80",
            "10s",
            "256M",
            "0.5",
            "/x",
            "data:/x",
            "A=1",
            "nginx",
            "NONE",
            "CMD",
            "${A}",
            "$$",
            "a\x00",
            "db",
        ]
    ),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), below, max_size=5),
    ),
    max_leaves=25,
)
SERVICES = st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=4).map(lambda keys: {"image": "nginx"} | keys)
DOCUMENTS = st.fixed_dictionaries(
    {"services": st.dictionaries(st.sampled_from(["web", "db", "Bad"]), SERVICES, min_size=1, max_size=2)},
    optional={"volumes": ANYTHING, "configs": ANYTHING, "secrets": ANYTHING, "networks": ANYTHING, "name": SCALARS},
)

NAMES = st.sampled_from(["a", "web", "db-1", "x" * 40])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
WORDS = TEXTS.filter(bool)
PATHS = st.sampled_from(["/srv", "/a/b", "/dev/shm", "/with space", "/é"])  # noqa: S108
DURATIONS = st.integers(1000, 600_000).map(lambda milliseconds: f"{milliseconds}ms")


def _dollars(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return texts.map(lambda text: text.replace("$", "$$"))


GOOD_SERVICES = st.fixed_dictionaries(
    {"image": st.sampled_from(["nginx", "a/b:1", "host:5000/x/y:z", "nginx@sha256:" + "0" * 64])},
    optional={
        "command": st.lists(_dollars(WORDS), min_size=1, max_size=3),
        "entrypoint": st.lists(_dollars(WORDS), min_size=1, max_size=3),
        "environment": st.dictionaries(
            st.sampled_from(["A", "_", "a.b-c", "LD_PRELOAD", "X_BERTH_"]),
            _dollars(TEXTS),
            max_size=3,
        ),
        "ports": st.lists(st.integers(1, 65535), max_size=4),
        "expose": st.lists(st.integers(1, 65535).map(str), max_size=4),
        "healthcheck": st.fixed_dictionaries(
            {"test": st.lists(_dollars(WORDS), min_size=1, max_size=3).map(lambda words: ["CMD", *words])},
            optional={"interval": DURATIONS, "timeout": DURATIONS, "retries": st.integers(1, 100)},
        ),
        "working_dir": PATHS,
        "user": st.one_of(st.integers(0, 65535), st.just("app:app")),
        "stop_grace_period": DURATIONS,
        "read_only": st.booleans(),
        "init": st.booleans(),
        "labels": st.dictionaries(st.just("com.example.x"), _dollars(TEXTS)),
        "tmpfs": st.lists(PATHS, max_size=1),
        "deploy": st.fixed_dictionaries(
            {},
            optional={
                "replicas": st.integers(0, 50),
                "resources": st.fixed_dictionaries(
                    {}, optional={"limits": st.fixed_dictionaries({"memory": st.integers(4 << 20, 512 << 30)})}
                ),
                "restart_policy": st.fixed_dictionaries({"condition": st.sampled_from(["none", "any"])}),
                "update_config": st.fixed_dictionaries({"max_failure_ratio": st.floats(0, 1)}),
            },
        ),
    },
)
GOOD = st.fixed_dictionaries(
    {"services": st.dictionaries(NAMES, GOOD_SERVICES, min_size=1, max_size=3)},
    optional={"configs": st.dictionaries(NAMES, st.fixed_dictionaries({"content": _dollars(TEXTS)}), max_size=2)},
)


def _read(data: object, mode: Mode) -> Specification | None:
    try:
        return read_data(data, mode=mode).specification
    except SpecificationError as error:
        refused = error
    assert refused.errors
    json.dumps([problem.as_json() for problem in refused.errors]).encode()
    return None


@RELAXED
@given(data=ANYTHING, mode=st.sampled_from(["strict", "import"]))
@example(
    data={"services": {"web": {"image": "nginx", "deploy": {"resources": {"limits": {"cpus": 1e400}}}}}}, mode="strict"
)
def test_any_data_is_read_or_refused(data: object, mode: Mode) -> None:
    _read(data, mode)


@RELAXED
@given(data=DOCUMENTS, mode=st.sampled_from(["strict", "import"]))
def test_anything_in_the_place_of_kept_keys_is_read_or_refused(data: object, mode: Mode) -> None:
    spec = _read(data, mode)
    if spec is not None:
        _only_kept_values(spec)


@RELAXED
@given(text=st.one_of(st.text(max_size=200), st.binary(max_size=200)), mode=st.sampled_from(["strict", "import"]))
def test_any_text_is_read_or_refused(text: str | bytes, mode: Mode) -> None:
    try:
        data = plain_data(text)
    except SpecificationError:
        return
    _read(data, mode)


@RELAXED
@given(data=GOOD)
def test_good_documents_are_accepted_and_come_back_the_same(data: dict[str, Any]) -> None:
    spec = read_data(data).specification
    _only_kept_values(spec)
    assert read_data(json.loads(json.dumps(spec.canonical()))).specification == spec
    assert read_text(spec.to_yaml()).specification.canonical() == spec.canonical()


@RELAXED
@given(data=GOOD)
def test_values_reach_the_engine_as_they_were_meant(data: dict[str, Any]) -> None:
    spec = read_data(data).specification
    for built in build(spec, context=context(spec.services)):
        written = data["services"][built.ref.service]
        meant = {key: text.replace("$$", "$") for key, text in written.get("environment", {}).items()}
        assert dict(built.environment) == meant
        for key, words in (("command", built.command), ("entrypoint", built.entrypoint)):
            assert list(words or ()) == [word.replace("$$", "$") for word in written.get(key, [])]


@RELAXED
@given(text=st.text(max_size=60))
def test_any_text_is_an_image_or_is_not(text: str) -> None:
    try:
        found = parse_image(text)
    except BadImageReference:
        return
    assert parse_image(str(found)) == found
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", found.complete, re.ASCII)


def _only_kept_values(spec: Specification) -> None:
    """Nothing beyond the builder but the fields of the contract, each in its range."""
    pinned = {name: f"docker.io/library/x@sha256:{'0' * 64}" for name in spec.services}
    values = dict.fromkeys(spec.secrets, b"v")
    built = build(spec, context=context(spec.services, pinned=pinned, secrets=values))
    assert [one.ref.service for one in built] != []
    for one in built:
        assert is_label(one.ref.service)
        assert is_pinned(one.image)
        assert 0 <= one.instances <= 50
        assert all(1 <= port.target <= 65535 and port.protocol in ("tcp", "udp") for port in one.ports)
        assert not any(key.upper().startswith("BERTH_") for key, _value in one.environment)
        assert not any(key.lower().startswith(RESERVED_LABELS) for key, _value in (*one.labels, *one.host_labels))
        mounts: list[Any] = [*one.volumes, *one.tmpfs, *one.files]
        paths = [mount.path for mount in mounts]
        assert all(path.startswith("/") and ".." not in path.split("/") for path in paths)
        assert all(mount.volume.startswith("app-1-") for mount in one.volumes)
        assert one.restart.condition in ("none", "on-failure", "any")
        json.dumps(asdict(one), default=lambda raw: raw.hex()).encode()
