"""The text of a specification: where each value stands, changing it in place, and what mends it."""

import json
from typing import Any

import pytest

from apps.specification import (
    SpecificationError,
    changes,
    edited,
    plain_data,
    positions,
    read_data,
    read_text,
    remedy,
    rewritten,
    stored,
)
from apps.specification.pointing import loc_of, value_at, with_value
from apps.specification.problems import path_of
from tests.apps.specification.stage import COMPLETE, one_service

COMMENTED = """\
# the shop
services:
  web:   # what people see
    image: "nginx:1"   # not yet 2
    restart: always
    environment:
    - A=1
    - B=2
    deploy: {replicas: 2}
"""


def _leaves(data: object, loc: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [below for key, value in pairs for below in ([(*loc, key), *_leaves(value, (*loc, key))])]


@pytest.mark.parametrize("text", [COMPLETE, json.dumps(plain_data(COMPLETE), indent=1)])
def test_every_value_has_its_place(text: str) -> None:
    found, lines = positions(text), text.splitlines()
    for loc in _leaves(plain_data(text)):
        spot = found.of(path_of(loc))
        assert spot is not None
        shown = lines[spot.line - 1][spot.column - 1 : spot.end_column - 1]
        if isinstance(loc[-1], str):
            assert shown.strip('"').startswith(loc[-1])
        assert shown


@pytest.mark.parametrize(
    ("path", "line"), [("services.web.nothing", 3), ("services.web.environment.NOTHING.below", 6), ("services", 2)]
)
def test_what_is_not_written_is_shown_at_what_holds_it(path: str, line: int) -> None:
    spot = positions(COMMENTED).of(path)
    assert spot is not None
    assert spot.line == line
    assert positions(COMMENTED).of("") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [("services: [", 1), ("a: b\n c: d", 2), ("a: 'open\nb: c\n", 3), ("\t- x", 1), ("a: &x *y", 1), ("{", 1)],
)
def test_where_the_text_breaks(text: str, line: int) -> None:
    broken = positions(text).broken
    assert broken is None or broken.line == line
    with pytest.raises(SpecificationError):
        read_text(text)


@pytest.mark.parametrize(
    "text",
    ["", "x", "? [a, b]\n: c", "[" * 5000, "a: " * 2000, "&a [*a]", "x: !!python/object:os.system y", "\x00",
     "a\x85b: c", "a: b\na: c", "{a: b", "- - - x", "x" * 300_000],
)  # fmt: skip
def test_no_text_makes_it_fall_over(text: str) -> None:
    positions(text)


def test_a_key_that_is_written_twice_is_shown_where_it_comes_again() -> None:
    spot = positions("a: 1\nb: 2\na: 3\n").of("a")
    assert spot is not None
    assert spot.line == 3


def test_paths_lead_back_to_places() -> None:
    for loc in [("services", "web", "ports", 0), ("a", "b.c", 'q"x'), ("services", "web", "0")]:
        assert loc_of(path_of(loc)) == loc
    for bad in ("a b", "a[", "a[x]", '["a]'):
        with pytest.raises(ValueError, match="path"):
            loc_of(bad)


def test_a_value_is_put_and_taken_out_without_touching_the_rest() -> None:
    before = one_service(environment={"A": "1"})
    after = with_value(before, "services.web.deploy.replicas", 2)
    assert value_at(after, ("services", "web", "deploy", "replicas")) == 2
    assert "deploy" not in before["services"]["web"]
    assert "A" not in with_value(before, "services.web.environment.A", None)["services"]["web"]["environment"]


def test_comments_and_order_stay_when_a_value_changes() -> None:
    spec = read_text(COMMENTED, mode="import").specification.canonical()
    for path, value in (
        ("services.web.image", "nginx:2"),
        ("services.web.environment.B", None),
        ("services.web.deploy.resources.limits.memory", "64Mi"),
    ):
        spec = with_value(spec, path, value)
    text = edited(COMMENTED, stored(spec))
    assert read_text(text, mode="import").specification == stored(spec)
    for kept in ("# the shop", "# what people see", '"nginx:2"', "# not yet 2", "restart: always"):
        assert kept in text
    assert edited(COMMENTED, read_text(COMMENTED, mode="import").specification) == COMMENTED


@pytest.mark.parametrize(
    "text",
    [
        COMPLETE,
        json.dumps(plain_data(COMPLETE)),
        "x-a: &a {image: 'x:1'}\nservices:\n  web: *a\n  api: *a\n",
        "services:\n  web:\n    <<: {image: 'x:1', deploy: {replicas: 2}}\n",
        "not: [yaml",
        "",
    ],
)
def test_whatever_the_text_was_it_means_what_is_wanted(text: str) -> None:
    for wanted in (
        read_data(one_service(ports=[80], environment={"A": "$$x"})).specification,
        read_text(COMPLETE).specification,
        stored(with_value(read_text(COMPLETE).specification.canonical(), "services.api.image", "a:9")),
    ):
        assert read_text(edited(text, wanted), mode="import").specification == wanted


def test_every_kept_key_comes_through_text_and_back() -> None:
    """From the text to what the form holds, and to text again, with every key that is kept."""
    whole = read_text(COMPLETE).specification
    assert read_text(whole.to_yaml(), mode="import").specification == whole
    assert edited(COMPLETE, whole) == COMPLETE


@pytest.mark.parametrize(
    ("service", "kind", "after"),
    [
        ({"privileged": True}, "out", {}),
        ({"mem_limit": "64m"}, "move", {"deploy": {"resources": {"limits": {"memory": "64m"}}}}),
        ({"scale": 3}, "move", {"deploy": {"replicas": 3}}),
        ({"workingdir": "/x"}, "rename", {"working_dir": "/x"}),
        ({"ports": [80, "x"]}, "out", {"ports": [80]}),
        ({"volumes": ["/etc:/etc"]}, "out", {}),
        ({"deploy": {"replicas": "many"}}, "out", {"deploy": {}}),
        ({"environment": {"BERTH_X": "1", "A": "2"}}, "out", {"environment": {"A": "2"}}),
    ],
)
def test_one_press_mends_what_is_refused(service: dict[str, Any], kind: str, after: dict[str, Any]) -> None:
    data = one_service(**service)
    with pytest.raises(SpecificationError) as refused:
        read_data(data)
    found = remedy(refused.value.errors[0], data)
    assert found is not None
    assert found.kind == kind
    for path, value in found.mend.items():
        data = with_value(data, path, value)
    assert data["services"]["web"] == {"image": "nginx:1.29"} | after
    read_data(data)
    text = rewritten(json.dumps(one_service(**service)), found.mend)
    assert plain_data(text) == data


def test_what_is_missing_has_no_such_button() -> None:
    with pytest.raises(SpecificationError) as refused:
        read_data({"services": {"web": {}}})
    assert remedy(refused.value.errors[0], {"services": {"web": {}}}) is None


def test_changes_in_words() -> None:
    before = read_data(one_service(ports=[80], environment={"A": "1", "B": "2"})).specification
    document = one_service(ports=[80, "53/udp"], environment={"A": "1", "C.D": "3"}, deploy={"replicas": 5})
    document["services"]["db"] = {"image": "postgres:16"}
    found = changes(before, read_data(document).specification)
    assert [(one.kind, one.what, one.before, one.after) for one in found] == [
        ("new", "Service db", "", "postgres:16"),
        ("changed", "Instances of web", "1", "5"),
        ("changed", "Ports of web", "80", "53/udp, 80"),
        ("gone", "Variable B of web", "2", ""),
        ("new", "Variable C.D of web", "", "3"),
    ]
    assert changes(before, before) == []
