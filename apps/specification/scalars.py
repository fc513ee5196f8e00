"""The smallest values: how each may be written, and what it is then."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from apps.specification.problems import Fault, fault

KI, MI, GI, TI = 1 << 10, 1 << 20, 1 << 30, 1 << 40
UNITS = {"": 1, "k": KI, "m": MI, "g": GI, "t": TI}
MEMORY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ?([kKmMgGtT]?)[iI]?[bB]?\Z", re.ASCII)
CPUS = re.compile(r"\d{1,6}(?:\.\d{1,9})?\Z|\.\d{1,9}\Z", re.ASCII)
DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:h|ms|m|us|s))+\Z", re.ASCII)
DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|us|s)", re.ASCII)
SECONDS = {
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
    "us": Decimal("0.000001"),
}
WHOLE = re.compile(r"-?\d{1,15}\Z", re.ASCII)


class WrittenInt(int):
    """A whole number that remembers how it was written (0440, 007)."""

    text: str


class WrittenFloat(float):
    """A number that remembers how it was written (1.10)."""

    text: str


@dataclass(frozen=True, eq=False)
class Read:
    """Annotates a field: `read` makes the value from what was written, or raises a fault; `schema` is for editors."""

    read: Callable[[object], object]
    schema: dict[str, object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return dict(self.schema)

    def _read(self, value: object) -> object:
        try:
            return self.read(value)
        except Fault as error:
            raise error.for_pydantic() from None


def as_text(value: object) -> str:
    """Text as a person meant it: numbers as they were written, true and false in small letters."""
    if isinstance(value, str):
        return value
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise fault("not_text")


def text(limit: int) -> Read:
    """Text of 1 to `limit` characters."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise fault("not_text")
        if not value:
            raise fault("empty")
        if len(value) > limit:
            raise fault("too_long", limit=limit)
        return value

    return Read(read, {"type": "string", "minLength": 1, "maxLength": limit})


def whole(low: int, high: int) -> Read:
    """A whole number from `low` to `high`; digits in quotes count too."""

    def read(value: object) -> int:
        if isinstance(value, str) and WHOLE.match(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise fault("not_whole_number", low=low, high=high)
        return int(value)

    return Read(read, {"type": "integer", "minimum": low, "maximum": high})


def ratio(value: object) -> float:
    """0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise fault("not_ratio")
    return float(value)


def flag(value: object) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise fault("not_true_or_false")
    return value


def one_of(*words: str) -> Read:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise fault("not_one_of", words=", ".join(words), value=value)
        return value

    return Read(read, {"enum": list(words)})


def memory(low: int, high: int, *, of: str = "memory") -> Read:
    """Bytes, from 256M, 256Mi, 1g, 1.5GiB or a plain number; each unit is 1024 of the one below. `of`: the faults'."""

    def read(value: object) -> int:
        found = MEMORY.match(as_text(value)) if not isinstance(value, bool) else None
        if found is None:
            raise fault(f"not_{of}", value=value)
        amount = int(Decimal(found[1]) * UNITS[found[2].lower()])
        if not low <= amount <= high:
            raise fault(f"{of}_out_of_range", low=memory_text(low), high=memory_text(high))
        return amount

    return Read(read, {"type": ["string", "integer"], "pattern": MEMORY.pattern.replace("\\Z", "$")})


def memory_text(amount: int) -> str:
    """Bytes in the largest unit that divides them: 268435456 is 256Mi."""
    for unit, size in (("Ti", TI), ("Gi", GI), ("Mi", MI), ("Ki", KI)):
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)


def cpus(value: object) -> int:
    """Millicores, from cores written as "0.5" or 0.5: 0.01 to 64."""
    written = as_text(value) if not isinstance(value, bool) else ""
    if not CPUS.match(written):
        raise fault("not_cpus", value=value)
    millicores = round(Decimal(written) * 1000)
    if not 10 <= millicores <= 64_000:
        raise fault("cpus_out_of_range")
    return int(millicores)


def cpus_text(millicores: int) -> str:
    return f"{Decimal(millicores) / 1000:f}".rstrip("0").rstrip(".") if millicores % 1000 else str(millicores // 1000)


def duration(low: float, high: float) -> Read:
    """Seconds to the millisecond, from 10s, 1m30s, 1.5s, 200ms."""

    def read(value: object) -> float:
        if not isinstance(value, str) or len(value) > 40 or not DURATION.match(value):
            raise fault("not_duration", value=value)
        try:
            total = sum((Decimal(n) * SECONDS[unit] for n, unit in DURATION_PART.findall(value)), Decimal(0))
        except InvalidOperation:
            raise fault("not_duration", value=value) from None
        seconds = float(round(total, 3))
        if not low <= seconds <= high:
            raise fault("duration_out_of_range", low=duration_text(low), high=duration_text(high))
        return seconds

    return Read(read, {"type": "string", "pattern": DURATION.pattern.replace("\\Z", "$")})


def duration_text(seconds: float) -> str:
    """90.0 is 90s, 0.25 is 250ms."""
    milliseconds = round(seconds * 1000)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"
