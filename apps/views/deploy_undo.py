"""What stood in the panel before each mend, so that it can be put back: it travels with the panel itself."""

import json
import re
from collections.abc import Mapping

from apps.views.deploy_sent import read_sent

FIELDS = re.compile(
    r"(environment|mode|release|service|base|text|yaml|image|name|instances|ports|cpu|memory|storage|health|path|command|"
    r"lines|note|read_from|search|left_out|variables-\d{1,4}-(name|value))\Z"
)
MOST = 5
LARGEST = 128 * 1024


def steps_of(sent: str) -> list[dict[str, str]]:
    """The steps that a panel was sent with, believed as little as anything else: only texts of known fields."""
    steps = read_sent(sent, largest=LARGEST)
    found = [one for one in steps if isinstance(one, dict)] if isinstance(steps, list) else []
    return [_fields(one) for one in found[-MOST:]]


def with_step(steps: list[dict[str, str]], data: Mapping[str, str]) -> list[dict[str, str]]:
    """The steps with what stands there now as the last; the oldest go where it becomes too much to carry."""
    kept = [*steps, _fields(data)][-MOST:]
    while kept and len(json.dumps(kept)) > LARGEST:
        kept = kept[1:]
    return kept


def _fields(data: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in data.items() if isinstance(value, str) and FIELDS.match(name)}
