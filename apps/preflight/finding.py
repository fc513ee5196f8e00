"""One line of the preflight."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from apps.specification import Specification, read_data
from apps.specification.pointing import with_value

SPEC = "spec."


@dataclass(frozen=True)
class Finding:
    """`field`: path of what it is about, as the sender of a deployment writes it: `spec.services.web.image`.

    `mend`: {path: value} that makes the line green when put there; None takes out what is there. `button`: what
    the button that does so is called. `link`: the page where the button leads instead, where no value mends it.
    """

    level: Literal["bad", "warn", "ok"]
    code: str
    message: str
    field: str = ""
    hint: str = ""
    mend: dict[str, Any] = dataclasses.field(default_factory=dict)
    button: str = ""
    link: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "hint": self.hint,
            "mend": self.mend,
            "link": self.link,
        }


def mended(spec: Specification, mend: Mapping[str, Any]) -> Specification:
    """The specification with a finding's `mend` in it. Raises SpecificationError, ValueError for impossible paths."""
    document = spec.canonical()
    for path, value in mend.items():
        if path.startswith(SPEC):
            document = with_value(document, path.removeprefix(SPEC), value)
    return read_data(document, most_instances=1000).specification
