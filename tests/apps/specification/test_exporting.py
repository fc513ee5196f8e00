"""What is exported comes back as the same specification, and says of itself what a person has to do."""

from typing import Any

import pytest
import yaml
from hypothesis import given

from apps.specification import Specification, exported, import_of, read_data, read_text
from backends.formats import FORMATS
from tests.apps.specification.stage import COMPLETE
from tests.apps.specification.test_properties import GOOD, RELAXED

FORM = FORMATS[0]
MORE: dict[str, dict[str, Any]] = {
    "shared volume": {
        "services": {
            "a": {"image": "x", "volumes": ["data:/a"]},
            "b": {"image": "y", "volumes": ["data:/b:ro", "own:/c"]},
        },
        "volumes": {"data": None, "own": None, "unused": None},
    },
    "odd names": {"services": {"web": {"image": "x", "ports": [80], "expose": [81]}, "web-outside": {"image": "y"}}},
    "names of our own": {
        "services": {"web": {"image": "x", "volumes": ["memory-0:/a"], "tmpfs": ["/b"]}},
        "volumes": {"memory-0": None},
    },
    "nothing running": {"services": {"web": {"image": "x", "deploy": {"replicas": 0}}}},
    "root": {"services": {"web": {"image": "x", "user": "0:0"}}},
    "unused": {
        "services": {"web": {"image": "x"}},
        "configs": {"c": {"content": ""}},
        "secrets": {"s": {"external": True}},
    },
    "dollars": {
        "services": {"web": {"image": "x", "environment": {"A": "$$(B) $$$$ $$x", "B": "y"}, "command": ["$$(A)"]}}
    },
    "odd labels": {
        "services": {
            "web": {
                "image": "x",
                "labels": {"a/b": "c", "x": "with space", "team": "é", "ok": "1"},
                "deploy": {"placement": {"constraints": ["node.labels.a/b == c", "node.labels.z == A_b"]}},
            }
        }
    },
}


def there_and_back(spec: Specification) -> None:
    text = exported(spec, app="shop", form=FORM)
    found = import_of(text)
    assert [(line.path, str(line.message)) for line in found.lines if line.kind == "refused"] == []
    assert found.specification is not None
    assert found.specification.canonical() == spec.canonical()
    assert found.name == "shop"


def test_every_kept_key_comes_back() -> None:
    there_and_back(read_text(COMPLETE).specification)


@pytest.mark.parametrize("name", list(MORE))
def test_what_the_form_has_no_words_for_comes_back_too(name: str) -> None:
    there_and_back(read_data(MORE[name]).specification)


@RELAXED
@given(data=GOOD)
def test_any_specification_comes_back_the_same(data: dict[str, Any]) -> None:
    there_and_back(read_data(data).specification)


def test_secrets_are_left_to_be_filled_in() -> None:
    text = exported(read_text(COMPLETE).specification, app="shop", form=FORM)
    secrets = [one for one in yaml.safe_load_all(text) if one["kind"] == "Secret"]
    assert [one["stringData"] for one in secrets] == [{"content": "FILL-IN"}]
    assert "# Write the value of the secret token in place of FILL-IN before you apply this." in text
    assert "&id" not in text


def test_changes_made_by_hand_are_taken() -> None:
    text = exported(read_text(COMPLETE).specification, app="shop", form=FORM)
    found = import_of(text.replace("replicas: 3", "replicas: 4").replace("team/web:1.4", "team/web:1.5"))
    assert found.specification is not None
    web = found.specification.services["web"]
    assert (web.deploy.replicas, web.image) == (4, "registry.example.com:5000/team/web:1.5")
