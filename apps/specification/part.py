"""What every part of the specification shares: unknown keys are refused, and nothing changes once read."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, model_validator

from apps.specification.problems import Fault, Gathering, fault
from apps.specification.scalars import as_text

Canonical = dict[str, object]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _written_without_value(cls, data: object) -> object:
        """`environment:` with nothing behind it means the same as no such line."""
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


def canonical(**pairs: object) -> Canonical:
    """The keys that say something, in the order given."""
    return {key: value for key, value in pairs.items() if value is not None and value not in ((), {}, [])}


def checked(check: Callable[[], None]) -> None:
    """Run a check of a whole part, its faults as pydantic wants them."""
    try:
        check()
    except Fault as error:
        raise error.for_pydantic() from None


def read_pairs(
    value: object, *, most: int, without_value: str | None, check: Callable[[str, str], None]
) -> dict[str, str]:
    """A map, or a list of KEY=VALUE, sorted by key.

    `without_value`: the code of the fault when a value is missing; None takes it as "".
    """
    if not isinstance(value, dict | list | tuple):
        raise fault("not_list_or_map")
    if len(value) > most:
        raise fault("too_many", limit=most)
    found: dict[str, str] = {}
    wrong = Gathering()
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for place, written in entries:
        with wrong.at(place):
            key, text = _pair(place, written)
            if text is None and without_value:
                raise fault(without_value)
            if key in found:
                raise fault("twice", name=key)
            check(key, text or "")
            found[key] = text or ""
    wrong.finish()
    return dict(sorted(found.items()))


def _pair(place: object, written: object) -> tuple[str, str | None]:
    if isinstance(place, str):
        return place, None if written is None else as_text(written)
    if not isinstance(written, str):
        raise fault("not_text")
    key, equals, text = written.partition("=")
    return key, text if equals else None
