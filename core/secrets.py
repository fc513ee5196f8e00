"""Secrets: a type that never shows itself, and a column that is only ever stored encrypted."""

from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models

MASK = "***"


class Secret:
    """Text that prints, logs and serializes as `***`; `reveal()` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> Any:
        raise TypeError("a secret does not leave the process")


def ring() -> MultiFernet:
    """The keys of FIELD_KEYS; the first encrypts, all decrypt, so that keys can be changed one by one."""
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])


class SecretField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """A `Secret` in Python, Fernet text in the database."""

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        return None if value is None else Secret(ring().decrypt(value.encode()).decode() if value else "")

    def to_python(self, value: Any) -> Secret | None:
        return value if value is None or isinstance(value, Secret) else Secret(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        secret = self.to_python(value)
        if secret is None:
            return None
        return ring().encrypt(secret.reveal().encode()).decode() if secret else ""

    def value_to_string(self, obj: models.Model) -> str:
        return MASK
