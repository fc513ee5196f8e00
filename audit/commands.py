"""The one door for every change: permission, transaction, audit."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.db import transaction
from django.db.models import Model

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core import access
from core.access import Actor
from core.errors import Denied, PortalError

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=Model | None)

Needs = str | Callable[[Any], tuple[str, ...]]  # one code, or those of which one suffices on this target

COMMANDS: dict[str, Needs] = {}  # action -> permission
_line: ContextVar[Line] = ContextVar("audit_line")
_PLAIN = (str, int, float, bool, type(None))


def describe(
    *,
    target: Model | None = None,
    before: Any = None,
    after: Any = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Say more in the entry of the command that runs now. Never pass a secret's text."""
    line = _line.get()
    if target is not None:
        line.name_target(target)
    line.before, line.after = before or line.before, after or line.after
    line.detail |= detail or {}


def command(
    action: str, *, permission: Needs, even_closed: bool = False
) -> Callable[[Callable[Concatenate[Actor, T, P], R]], Callable[Concatenate[Actor, T, P], R]]:
    """Declare a service: what the audit calls it and the permission it needs on its target (None: the platform).
    Where the permission depends on the target (a protected environment), it is a function of it.

    It is refused in a project that is suspended, archived or deleted, unless it is to work `even_closed`.
    Accepted, refused and denied calls all leave an entry; the accepted one in the command's own transaction.
    Plain keyword arguments are written to the entry; documents are not, the body describes them.
    """
    if action in COMMANDS:
        raise ValueError(f"{action} is declared twice")
    COMMANDS[action] = permission
    register_action(action)

    def decorate(func: Callable[Concatenate[Actor, T, P], R]) -> Callable[Concatenate[Actor, T, P], R]:
        @wraps(func)
        def run(actor: Actor, target: T, *args: P.args, **params: P.kwargs) -> R:
            line = Line(action, detail={key: value for key, value in params.items() if isinstance(value, _PLAIN)})
            line.name_target(target)
            token = _line.set(line)
            try:
                with transaction.atomic():
                    codes = (permission,) if isinstance(permission, str) else permission(target)
                    access.check_any(actor, codes, target)
                    if behind := access.grants_behind(actor, codes, target):
                        line.detail["grants"] = behind
                        access.note_use(behind)
                    if not even_closed:
                        access.check_open(target)
                    result = func(actor, target, *args, **params)
                    line.operation_id = getattr(result, "audit_operation_id", None)
                    record(actor, line, result=AuditEntry.Result.ACCEPTED)
                    return result
            except PortalError as error:
                # outside the transaction that was rolled back, so that the refusal stays on record
                outcome = AuditEntry.Result.DENIED if isinstance(error, Denied) else AuditEntry.Result.REFUSED
                line.detail |= {"code": error.code}
                record(actor, line, result=outcome)
                raise
            finally:
                _line.reset(token)

        run.action = action  # type: ignore[attr-defined]  # the rule test finds commands by it
        return cast("Callable[Concatenate[Actor, T, P], R]", run)  # positional names differ, which nobody uses

    return decorate


def check_before(run: Callable[..., Any], actor: Actor, target: Model | None) -> None:
    """Ask for a command's permission before what is to be given to it is looked up; a denial is on record."""
    action: str = run.action  # type: ignore[attr-defined]  # `command` left it there
    needs = COMMANDS[action]
    try:
        access.check_any(actor, (needs,) if isinstance(needs, str) else needs(target), target)
    except Denied as error:
        line = Line(action, detail={"code": error.code})
        line.name_target(target)
        record(actor, line, result=AuditEntry.Result.DENIED)
        raise
