"""Advisories made for a test, in the OSV format."""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MODIFIED = "2026-11-20T10:00:00Z"
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
LOW = "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N"


def advisory(
    osv_id: str, ecosystem: str, name: str, *, fixed: str = "", vector: str = HIGH, **more: Any
) -> dict[str, Any]:
    """One advisory about all versions below `fixed`."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    kind = "SEMVER" if ecosystem in {"npm", "Go"} else "ECOSYSTEM"
    affected = [{"package": {"ecosystem": ecosystem, "name": name}, "ranges": [{"type": kind, "events": events}]}]
    severity = [{"type": "CVSS_V3", "score": vector}] if vector else []
    known = {"id": osv_id, "modified": MODIFIED, "summary": f"{name} can be broken", "severity": severity}
    return known | {"affected": affected} | more


def zipped(path: Path, advisories: Iterable[Any]) -> Path:
    """As osv.dev offers them: `all.zip` of an ecosystem."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate(advisories):
            name = one["id"] if isinstance(one, dict) and "id" in one else f"odd-{number}"
            archive.writestr(f"{name}.json", one if isinstance(one, bytes) else json.dumps(one))
    return path
