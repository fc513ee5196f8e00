"""Errors one may expect: safe to show, with a stable code and a next step. Turned into an answer in one place only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class FieldProblem:
    """One field that is wrong. `field` is a path as the sender wrote it, e.g. `spec.services.web.ports[0]`."""

    field: str
    code: str
    message: Text
    hint: Text = ""

    def as_json(self) -> dict[str, str]:
        shown = {"field": self.field, "code": self.code, "message": str(self.message)}
        return shown | ({"hint": str(self.hint)} if self.hint else {})


class PortalError(Exception):
    """Base of all expected errors. `extra` is merged into the answer (e.g. the id of the operation in the way)."""

    code = "bad_request"
    status = 400
    title: Text = _("The request cannot be understood")
    hint: Text = ""

    def __init__(
        self,
        message: Text = "",
        *,
        code: str | None = None,
        hint: Text | None = None,
        errors: Sequence[FieldProblem] = (),
        extra: Mapping[str, Any] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        self.message: Text = message or self.title
        super().__init__(code or self.code)
        self.code = code or self.code
        self.hint = self.hint if hint is None else hint
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.retry_after_seconds = retry_after_seconds


class BadRequest(PortalError):
    pass


class NotSignedIn(PortalError):
    code, status = "not_signed_in", 401
    title = _("Sign in first")
    hint = _("Sign in, or send a token: Authorization: Bearer <token>.")


class Denied(PortalError):
    """Known, visible, but not allowed. Names the missing permission and who can give it."""

    code, status = "denied", 403
    title = _("You may not do this")


class NotFound(PortalError):
    """Missing and foreign look exactly alike: no words of their own."""

    code, status = "not_found", 404
    title = _("There is nothing here")
    hint = _("Check the address. If it was shared with you, ask for access.")

    def __init__(self) -> None:
        super().__init__()


class Conflict(PortalError):
    code, status = "conflict", 409
    title = _("The present state does not allow this")


class Changed(PortalError):
    code, status = "changed_meanwhile", 412
    title = _("Somebody changed this since you read it")
    hint = _("Read it again, then repeat your change on what it is now.")


class TooLarge(PortalError):
    code, status = "too_large", 413
    title = _("The request is too large")


class TooSlow(PortalError):
    code, status = "too_slow", 408
    title = _("The request did not arrive in time")
    hint = _("Try again.")


class Invalid(PortalError):
    code, status = "invalid", 422
    title = _("A field is wrong")


class TooMany(PortalError):
    code, status = "too_many", 429
    title = _("Too many requests")


class Unavailable(PortalError):
    code, status = "unavailable", 503
    title = _("Not available just now")


class NoSpace(PortalError):
    """Nothing was done: what cannot be recorded is not allowed either."""

    code, status = "no_space", 507
    title = _("The disk of Berth is full")
    hint = _("Nothing was changed. An operator has to make room; then try again.")
