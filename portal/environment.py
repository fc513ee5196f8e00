"""Reading the environment: a wrong value is named together with its variable, before anything starts."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()  # NAME_FILE=/path is read where NAME is wanted


def secret_from(variable: str, file: Path, *, how: str) -> str:
    """The value of a variable, or of the key file that `berth up` made. There is no default for a secret."""
    value: str = env.str(variable, default="")
    if not value and file.exists():
        value = file.read_text().strip()
    if not value:
        raise ImproperlyConfigured(f"{variable} is not set and {file.name} does not exist. {how}")
    return value
