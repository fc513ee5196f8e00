"""The program in the guide checks an export with nothing of Berth, and finds what was changed in it."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import AsyncClient

from apps.models import AppEnvironment
from tenants.models import Token
from tests.conftest import Cast

GUIDE = Path(settings.BASE_DIR) / "docs" / "guide" / "auditors.md"


def exported(text: str) -> bytes:
    async def ask() -> bytes:
        address = "/api/v1/tenants/acme/audit/export?format=jsonl"
        answer = await AsyncClient().get(address, headers={"Authorization": f"Bearer {text}"})
        return b"".join([piece async for piece in answer])

    return async_to_sync(ask)()


def checked(program: Path, export: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(program), str(export)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda lines: lines, True),
        (lambda lines: [lines[0].replace(b'"accepted"', b'"refused"'), *lines[1:]], False),
        (lambda lines: [*lines[:1], *lines[2:]], False),
        (lambda lines: [lines[0], *lines], False),
        (lambda lines: [lines[1], lines[0], *lines[2:]], True),
    ],
    ids=["as it is", "changed", "missing", "twice", "in another order"],
)
def test_the_program_of_the_guide(
    change: Callable[[list[bytes]], list[bytes]], holds: bool, running: AppEnvironment, cast: Cast, tmp_path: Path
) -> None:
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    program, export = tmp_path / "check.py", tmp_path / "audit.jsonl"
    program.write_text(found[1])
    _token, text = Token.objects.create(cast.auditor, name="export")
    lines = exported(text).splitlines(keepends=True)
    assert len(lines) > 3
    export.write_bytes(b"".join(change(lines)))
    said = checked(program, export)
    assert (said.returncode == 0) is holds, said
    assert ("all in order" in said.stdout) is holds
