"""What an operator types, and what is looked at in its answer."""

import io
from typing import Any

from django.core.management import call_command

from tests.scanning.images import DEBIAN

STATUS = "var/lib/dpkg/status"


def run(name: str, *words: object, **options: Any) -> str:
    said = io.StringIO()
    call_command(name, *map(str, words), stdout=said, **options)
    return said.getvalue()


def debian(*packages: str) -> dict[str, Any]:
    return {"etc/os-release": DEBIAN, STATUS: "".join(packages)}


def hits(report: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(one["vulnerability"], one["package"], one["severity"], one["fixed"]) for one in report["findings"]]
