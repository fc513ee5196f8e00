"""How large a volume is: written in a specification, taken over from other files, built, compared, written again."""

import pytest

from apps.specification import SpecificationError, build, changes, exported, import_of, read_data
from backends.contract.documents import Format
from backends.contract.spec import VOLUME_BYTES
from backends.formats import FORMATS
from tests.apps.specification.stage import context

GIB = 1 << 30


def keeping(volume: object) -> dict[str, object]:
    return {"services": {"db": {"image": "postgres", "volumes": ["data:/data"]}}, "volumes": {"data": volume}}


@pytest.mark.parametrize(
    ("volume", "size"),
    [
        (None, VOLUME_BYTES),
        ({}, VOLUME_BYTES),
        ({"x-berth": None}, VOLUME_BYTES),
        ({"x-berth": {"size": "10Gi"}}, 10 * GIB),
        ({"x-berth": {"size": "512m"}}, GIB // 2),
        ({"x-berth": {"size": 2 * GIB}}, 2 * GIB),
    ],
)
def test_a_volume_is_as_large_as_it_says(volume: object, size: int) -> None:
    spec = read_data(keeping(volume)).specification
    assert spec.volumes["data"].size == size
    (built,) = build(spec, context=context(["db"]))
    assert [one.size_bytes for one in built.volumes] == [size]
    assert read_data(spec.canonical()).specification == spec


def test_the_usual_size_said_or_not_is_the_same() -> None:
    said, unsaid = (read_data(keeping(one)).specification for one in ({"x-berth": {"size": "1024Mi"}}, None))
    assert said == unsaid
    assert said.spec_hash == unsaid.spec_hash


def test_another_size_is_the_same_revision() -> None:
    (small,), (large,) = (
        build(read_data(keeping({"x-berth": {"size": size}})).specification, context=context(["db"]))
        for size in ("1Gi", "9Gi")
    )
    assert small != large
    assert small.revision == large.revision


@pytest.mark.parametrize(
    ("volume", "code", "path"),
    [
        ({"x-berth": {"size": "lots"}}, "not_size", "volumes.data.x-berth.size"),
        ({"x-berth": {"size": "-1Gi"}}, "not_size", "volumes.data.x-berth.size"),
        ({"x-berth": {"size": True}}, "not_size", "volumes.data.x-berth.size"),
        ({"x-berth": {"size": "1Ki"}}, "size_out_of_range", "volumes.data.x-berth.size"),
        ({"x-berth": {"size": "65Ti"}}, "size_out_of_range", "volumes.data.x-berth.size"),
        ({"x-berth": {"storage_class": "fast"}}, "not_available_yet", "volumes.data.x-berth.storage_class"),
        ({"x-berth": {"sice": "1Gi"}}, "unknown_key", "volumes.data.x-berth.sice"),
        ({"size": "1Gi"}, "unknown_key", "volumes.data.size"),
        ({"driver_opts": {"size": "10g"}}, "reaches_host", "volumes.data.driver_opts"),
    ],
)
def test_what_is_no_size_is_named(volume: object, code: str, path: str) -> None:
    with pytest.raises(SpecificationError) as raised:
        read_data(keeping(volume))
    assert {(one.code, one.field) for one in raised.value.errors} == {(code, path)}


def test_the_size_of_a_compose_file_comes_along_and_no_other_option_does() -> None:
    reading = read_data(keeping({"driver": "local", "driver_opts": {"size": "10g"}}), mode="import")
    assert reading.specification.volumes["data"].size == 10 * GIB
    assert "size_translated" in {one.code for one in reading.notes}
    for options in ({"size": "10g", "type": "nfs"}, {"device": "/"}):
        with pytest.raises(SpecificationError) as raised:
            read_data(keeping({"driver_opts": options}), mode="import")
        assert {one.code for one in raised.value.errors} == {"reaches_host"}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.code)
def test_sizes_go_out_and_come_in_again(form: Format) -> None:
    services = {name: {"image": "x", "volumes": [f"{name}:/own", "both:/both"]} for name in ("a", "b")}
    sizes = {"a": "3Gi", "b": "1536Mi", "both": "7Gi", "unused": "2Ti"}
    volumes = {name: {"x-berth": {"size": size}} for name, size in sizes.items()}
    spec = read_data({"services": services, "volumes": volumes}).specification
    text = exported(spec, app="shop", form=form)
    assert all(size in text for size in sizes.values())
    assert import_of(text).specification == spec


def test_a_change_of_size_is_said_in_words() -> None:
    small, large = (read_data(keeping({"x-berth": {"size": size}})).specification for size in ("1Gi", "9Gi"))
    (found,) = changes(small, large)
    assert (found.kind, found.what, found.after) == ("new", "Size of the volume data", "9Gi")
    (back,) = changes(large, read_data(keeping({"x-berth": {"size": "2Gi"}})).specification)
    assert (back.kind, back.before, back.after) == ("changed", "9Gi", "2Gi")
