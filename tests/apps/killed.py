"""A worker killed at a chosen point, in one process: it stops there, and whatever was not committed never was."""

from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from operations import tasks
from operations.models import Operation

MOST_STEPS = 30


class Killed(BaseException):
    """What a SIGKILL leaves: whatever was not committed never was."""


def die(patched: pytest.MonkeyPatch, point: str, when: str, count: int, *, importer: ModuleType) -> None:
    """Raise at the `count`-th call of `point`, once; also where `importer` took it by its name."""
    parts, calls = point.split("."), [0]
    owner = getattr(import_module(".".join(parts[:-2])), parts[-2])
    original = getattr(owner, parts[-1])

    def run(*args: Any, **more: Any) -> Any:
        calls[0] += 1
        if when == "before" and calls[0] == count:
            raise Killed
        answer = original(*args, **more)
        if when == "after" and calls[0] == count:
            raise Killed
        return answer

    patched.setattr(owner, parts[-1], run)
    if parts[-1] == "begin":
        patched.setattr(importer, "begin", run)


def work_until_killed(operation: Operation) -> None:
    for _step in range(MOST_STEPS):
        Operation.objects.filter(pk=operation.pk).update(not_before=None)
        try:
            tasks.run_operation(str(operation.pk))
        except Killed:
            return
