"""Asking a cluster whether it can be relied on, before what leads to it is kept.

The one place where a request waits for an engine. Whoever connects a cluster has to read the answer before they go on,
and there is no row yet that an operation could be about. So it is bounded in every direction: a call connects for two
seconds and reads for ten, a whole check ends after `WHOLE_SECONDS`, a process has `AT_ONCE` of them under way, and only
operators may ask.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from backends import check_words, connecting
from backends.contract import CheckCode, Checkup, DriverError, Finding, Level, ServiceRef, UnusableError
from backends.models import Cluster, Host
from backends.registry import made_for
from core.errors import Conflict, FieldProblem, Invalid, TooMany

T = TypeVar("T")

WHOLE_SECONDS = 20.0
AT_ONCE = 3
RETRY_SECONDS = 5
CREDENTIALS = "credentials"
_turns = threading.BoundedSemaphore(AT_ONCE)
_asking = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="cluster-check")


@dataclass(frozen=True)
class Told:
    """One finding as people read it."""

    level: str
    code: str
    message: str
    hint: str

    def as_json(self) -> dict[str, Any]:
        return {"level": self.level, "code": self.code, "message": self.message, "hint": self.hint} | {
            "field": "",
            "mend": {},
            "link": "",
        }


def checkup(row: Cluster, *, loopback: bool = False) -> Checkup:
    """What its driver finds. The row need not be saved. Errors: Invalid for an address, TooMany."""
    known = frozenset(Host.objects.filter(cluster_id=row.pk).values_list("engine_id", flat=True))
    slow = Checkup(findings=(Finding(CheckCode.SLOW, Level.BAD),))
    try:
        return _bounded(lambda: connecting.examine(row, known_hosts=known, loopback=loopback), late=slow)
    except UnusableError as error:
        raise unusable(error) from error


def services_there(row: Cluster) -> list[ServiceRef] | None:
    """What the cluster itself holds of ours; None: nobody can say, for it does not answer."""
    return _bounded(lambda: _held(row), late=None)


def _held(row: Cluster) -> list[ServiceRef] | None:
    try:
        return [one.ref for one in made_for(row).snapshot().services]
    except DriverError:
        return None


def _bounded(ask: Callable[[], T], *, late: T) -> T:
    """The answer, or `late`; a question that hangs keeps its turn until it ends."""
    if not _turns.acquire(blocking=False):
        message = _("Some clusters are being checked just now.")
        raise TooMany(message, hint=_("Try again in a moment."), retry_after_seconds=RETRY_SECONDS)
    asking = _asking.submit(ask)
    asking.add_done_callback(lambda _ended: _turns.release())
    try:
        return asking.result(WHOLE_SECONDS)
    except TimeoutError:
        return late


def told(found: Checkup) -> list[Told]:
    """The findings in words, the worst first."""
    lines = [
        Told(str(one.level), str(one.code), check_words.sentence(one), check_words.hint(one)) for one in found.findings
    ]
    return sorted(lines, key=lambda one: one.level != Level.BAD)


def refuse_unfit(found: Checkup) -> None:
    """Raises Conflict where a cluster cannot be used so."""
    if not found.passed:
        lines = told(found)
        findings = [one.as_json() for one in lines]
        raise Conflict(lines[0].message, code="cluster_not_usable", hint=lines[0].hint, extra={"findings": findings})


def unusable(error: UnusableError) -> Invalid:
    """What was given will not do; beside the field that it is about."""
    named = str(error.params.get("field", ""))
    field = named if named in connecting.PARTS else CREDENTIALS
    problem = FieldProblem(field, str(error.code), check_words.sentence(error), check_words.hint(error))
    return Invalid(errors=[problem])
