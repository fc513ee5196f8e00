"""What text may do to its reader: nothing but be read or refused."""

import json
import time
from typing import Any

import pytest

from apps.specification import SpecificationError, plain_data, read_data, read_text
from apps.specification.limits import LARGEST_TEXT
from tests.apps.specification.stage import COMPLETE, codes, one_service

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP_ALIAS = "a: &a0 [x]\n" + "".join(f"b{i}: &a{i + 1} [*a{i}]\n" for i in range(40))


def _codes(text: str | bytes) -> set[str]:
    with pytest.raises(SpecificationError) as raised:
        read_text(text)
    assert all(str(problem.message) and str(problem.hint) for problem in raised.value.errors)
    return {problem.code for problem in raised.value.errors}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * (LARGEST_TEXT + 1), "too_big"),
        ("é" * (LARGEST_TEXT // 2 + 1), "too_big"),
        (b"\xff\xfe", "not_utf8"),
        ("a: [", "syntax"),
        ("a: b: c", "syntax"),
        ("{a: [}", "syntax"),
        ('"\\UFFFFFFFF"', "syntax"),
        ("a: \x07", "syntax"),
        ("%YAML " + "9" * 5000 + ".1\n---\na: 1", "syntax"),
        ("[" * 100_000, "too_deep"),
        ("- " * 100_000, "too_deep"),
        ("{" * 1000, "bad_key"),
        ('{"a":' * 40_000 + "1" + "}" * 40_000, "too_deep"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "too_deep"),
        ("- a\n" * 20_001, "too_many_values"),
        (BOMB, "too_many_values"),
        (DEEP_ALIAS, "too_deep"),
        ("a: &a [*a]", "unknown_alias"),
        ("a: *nobody", "unknown_alias"),
        ("a: 1\na: 2", "duplicate_key"),
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ("services: {web: {image: a, image: b}}", "duplicate_key"),
        ("? [a, b]\n: 1", "bad_key"),
        ("a: !!python/object/apply:os.system [id]", "yaml_tag"),
        ("a: !!binary aGVsbG8=", "yaml_tag"),
        ("a: !reset null", "yaml_tag"),
        ("a: !!set {x, y}", "yaml_tag"),
        ("a: !!timestamp 2020-01-01", "yaml_tag"),
        ("<<: 5", "bad_merge"),
        ("a: 1\n---\nb: 2", "one_document"),
        ('{"a": "\\u0000"}', "nul"),
        ('a: "\\0"', "nul"),
        ('{"a\\u0000": 1}', "nul"),
        ('{"a": "\\ud800"}', "bad_text"),
        ('{"\\udfff": 1}', "bad_text"),
        ('{"a": NaN}', "number_out_of_range"),
        ('{"a": Infinity}', "number_out_of_range"),
        ('{"a": 1e999}', "number_out_of_range"),
        ('{"a": ' + "9" * 5000 + "}", "number_out_of_range"),
        ('{"a": ' + "9" * 20 + "}", "number_out_of_range"),
        ("", "not_a_map"),
        ("# only a comment", "not_a_map"),
        ("[]", "not_a_map"),
        ("just text", "not_a_map"),
        ("{}", "missing"),
        ("services:", "missing"),
        ("services: {}", "empty"),
        ("services: []", "not_a_map"),
        ("services: {web: null}", "not_a_map"),
        ("services: {web: [image]}", "not_a_map"),
    ],
)
def test_text_that_is_refused(text: str | bytes, code: str) -> None:
    assert code in _codes(text)


@pytest.mark.parametrize("text", [BOMB, DEEP_ALIAS, "[" * 200_000, "- a\n" * 60_000, '"' + "\\x41" * 60_000 + '"'])
def test_a_bomb_is_refused_soon(text: str) -> None:
    started = time.process_time()
    assert _codes(text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (one_service(command=[object()]), "not_a_value"),
        (one_service(command=[b"bytes"]), "not_a_value"),
        (one_service(command=[{1, 2}]), "not_a_value"),
        ({1: 2}, "not_a_value"),
        (one_service(user=10**40), "number_out_of_range"),
        (one_service(deploy={"replicas": float("-inf")}), "number_out_of_range"),
        (one_service(labels={"a": "x" * LARGEST_TEXT}), "too_big"),
        (None, "not_a_map"),
        ([], "not_a_map"),
        ("services", "not_a_map"),
        (7, "not_a_map"),
    ],
)
def test_data_that_is_refused(data: object, code: str) -> None:
    assert code in codes(data).values()


def test_data_that_holds_itself_is_refused() -> None:
    data: dict[str, Any] = {}
    data["services"] = data
    assert set(codes(data).values()) == {"too_deep"}
    wide: list[Any] = []
    wide += [wide] * 50
    assert set(codes({"a": wide}).values()) <= {"too_deep", "too_many_values"}


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(SpecificationError) as raised:
        read_text("services:\n  web:\n    image: 'open\n")
    assert "ine " in str(raised.value.errors[0].message)
    with pytest.raises(SpecificationError) as raised:
        read_text("services:\n  web: [}\n")
    assert "Line 2, column 9" in str(raised.value.errors[0].message)


def test_yaml_and_json_of_one_app_are_the_same() -> None:
    from_yaml = read_text(COMPLETE).specification
    assert read_text(json.dumps(from_yaml.canonical())).specification.spec_hash == from_yaml.spec_hash
    assert read_text(COMPLETE.encode()).specification.spec_hash == from_yaml.spec_hash
    assert read_text("\ufeff" + COMPLETE).specification.spec_hash == from_yaml.spec_hash


def test_anchors_and_merges_are_read_as_compose_does() -> None:
    assert plain_data("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: {<<: [{k: 5}, *x]}\nd: {'<<': 1}") == {
        "a": {"k": 1, "l": 2},
        "b": {"k": 1, "l": 3},
        "c": {"k": 5, "l": 2},
        "d": {"<<": 1},
    }


def test_plain_words_of_yaml() -> None:
    assert plain_data("[yes, no, on, ~, null, True, 0x10, 0o17, 017, 1e3, .5, -3, 12:30, '5', !!str 5, !!int '5']") == [
        *("yes", "no", "on", None, None, True, 16, 15, 17, 1000.0, 0.5, -3, "12:30", "5", "5", 5),
    ]


def test_a_problem_shows_little_of_a_long_value() -> None:
    with pytest.raises(SpecificationError) as raised:
        read_data({"services": {"x" * 100_000: {"image": "y" * 100_000}}})
    assert len(json.dumps([problem.as_json() for problem in raised.value.errors])) < 5000


def test_the_number_of_problems_is_limited() -> None:
    with pytest.raises(SpecificationError) as raised:
        read_data(one_service(**{f"unknown{i}": 1 for i in range(5000)}))
    assert len(raised.value.errors) == 200


def test_at_most_twenty_services() -> None:
    assert codes({"services": {f"s{i}": {"image": "nginx"} for i in range(21)}}) == {"services": "too_many"}
    assert read_data({"services": {f"s{i}": {"image": "nginx"} for i in range(20)}})
