"""Names that belong to the platform or the engine, and the grammar of those that people may choose."""

import re

from apps.specification.problems import fault

RESERVED_VARIABLES = "BERTH_"
RESERVED_LABELS = ("berth.", "com.docker.", "io.kubernetes", "app.kubernetes.io/")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}\Z", re.ASCII)
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}\Z", re.ASCII)
LONGEST_VALUE = 32 * 1024
LONGEST_LABEL_VALUE = 4096


def check_variable(key: str, value: str) -> None:
    """An environment variable; raises a fault."""
    if not VARIABLE.match(key):
        raise fault("bad_key_of_environment", value=key)
    if key.upper().startswith(RESERVED_VARIABLES):
        raise fault("reserved_environment")
    if len(value.encode()) > LONGEST_VALUE:
        raise fault("environment_too_large", limit=LONGEST_VALUE // 1024)


def check_label(key: str, value: str) -> None:
    """A label of a service, or of the hosts wanted; raises a fault."""
    for prefix in RESERVED_LABELS:
        if key.lower().startswith(prefix):
            raise fault("reserved_label", name=prefix)
    if not LABEL.match(key):
        raise fault("bad_label", value=key)
    if len(value) > LONGEST_LABEL_VALUE:
        raise fault("too_long", limit=LONGEST_LABEL_VALUE)
