"""Health checks in Compose's words: a command run inside each instance."""

from typing import Annotated, Self

from pydantic import model_validator

from apps.specification.part import Canonical, Part, canonical, checked
from apps.specification.problems import fault
from apps.specification.scalars import Read, duration, duration_text, flag, whole
from apps.specification.words import MOST_WORDS, read_words

KINDS = ("NONE", "CMD", "CMD-SHELL")
SHELL = ("/bin/sh", "-c")

Interval = Annotated[float, duration(0.5, 3600)]
Timeout = Annotated[float, duration(0.1, 600)]
StartPeriod = Annotated[float, duration(0, 3600)]
Retries = Annotated[int, whole(1, 100)]


def read_test(value: object) -> tuple[str, ...]:
    """("NONE",), ("CMD", word, ...) or ("CMD-SHELL", line)."""
    if isinstance(value, str) and value.strip():
        return ("CMD-SHELL", value)
    if not isinstance(value, list | tuple) or not value or value[0] not in KINDS:
        raise fault("bad_test")
    words = read_words(list(value))
    wanted = {"NONE": len(words) == 1, "CMD": len(words) > 1, "CMD-SHELL": len(words) == 2}
    if not wanted[words[0]]:
        raise fault("bad_test")
    return words


TEST_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_WORDS},
    ]
}


class Rhythm(Part):
    """How often, how long and how many times; what is left out is Berth's own default."""

    interval: Interval = 5.0
    timeout: Timeout = 3.0
    retries: Retries = 3
    start_period: StartPeriod = 5.0

    def rhythm(self) -> Canonical:
        return canonical(
            interval=duration_text(self.interval),
            timeout=duration_text(self.timeout),
            retries=self.retries,
            start_period=duration_text(self.start_period),
        )


class Healthcheck(Rhythm):
    test: Annotated[tuple[str, ...] | None, Read(read_test, TEST_SCHEMA)] = None
    disable: Annotated[bool, Read(flag, {"type": "boolean"})] = False

    @model_validator(mode="after")
    def _needs_a_test(self) -> Self:
        checked(self._check)
        return self

    def _check(self) -> None:
        if self.test is None and not self.disable:
            raise fault("no_test")

    @property
    def off(self) -> bool:
        return self.disable or self.test == ("NONE",)

    def command(self) -> tuple[str, ...]:
        """The argument list; empty when the image's own check is switched off."""
        if self.off or self.test is None:
            return ()
        return self.test[1:] if self.test[0] == "CMD" else (*SHELL, self.test[1])

    def canonical(self) -> Canonical:
        if self.off:
            return {"test": ["NONE"]}
        return canonical(test=list(self.test or ())) | self.rhythm()
