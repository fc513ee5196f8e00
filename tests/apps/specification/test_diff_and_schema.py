"""Comparing two specifications, and the schema editors use."""

from typing import Any

import jsonschema
import pytest

from apps.specification import app_schema, differences, plain_data, read_data, read_text, unified_lines
from tests.apps.specification.stage import COMPLETE, one_service

BEFORE = read_data(one_service(ports=[80], environment={"A": "1", "B": "2"})).specification
AFTER = read_data(
    {
        "services": {
            "web": {"image": "nginx:1.30", "ports": [80, 81], "environment": {"A": "1", "C": "3"}},
            "db": {"image": "postgres:16"},
        }
    }
).specification
VALIDATOR = jsonschema.Draft202012Validator(app_schema())


def test_each_difference_is_named() -> None:
    assert [(one.path, one.before, one.after) for one in differences(BEFORE, AFTER)] == [
        ("services.db", None, {"image": "postgres:16", "deploy": {"replicas": 1}}),
        ("services.web.environment.B", "2", None),
        ("services.web.environment.C", None, "3"),
        ("services.web.image", "nginx:1.29", "nginx:1.30"),
        (
            "services.web.ports",
            [{"target": 80, "protocol": "tcp"}],
            [{"target": 80, "protocol": "tcp"}, {"target": 81, "protocol": "tcp"}],
        ),
    ]
    assert differences(BEFORE, BEFORE) == []


def test_the_difference_as_lines() -> None:
    lines = unified_lines(BEFORE, AFTER, before_name="release 1", after_name="release 2")
    assert lines[:2] == ["--- release 1", "+++ release 2"]
    assert "-    image: nginx:1.29" in lines
    assert "+    image: nginx:1.30" in lines
    assert not any(line.endswith("\n") for line in lines)
    assert unified_lines(BEFORE, BEFORE, before_name="a", after_name="b") == []


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(app_schema())
    schema: Any = app_schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["services"]


def test_the_schema_takes_what_the_model_takes() -> None:
    assert list(VALIDATOR.iter_errors(plain_data(COMPLETE))) == []
    assert list(VALIDATOR.iter_errors(read_text(COMPLETE).specification.canonical())) == []
    assert list(VALIDATOR.iter_errors(BEFORE.canonical())) == []


@pytest.mark.parametrize(
    "keys",
    [
        {"privileged": True},
        {"ports": [{"target": 80, "mode": "host"}]},
        {"volumes": [{"type": "bind", "source": "/", "target": "/x"}]},
        {"deploy": {"mode": "global"}},
        {"deploy": {"replicas": 1001}},
        {"x_berth": {"routes": []}},
        {"depends_on": {"db": {"restart": True}}},
    ],
)
def test_the_schema_refuses_what_the_model_refuses(keys: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(one_service(**keys)))
