"""`Idempotency-Key`: the same request sent again gets the first answer again, and is done once."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.access import Actor
from core.errors import Invalid, PortalError
from operations.models import RememberedAnswer


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    repeated: bool = False


def fingerprint(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\n".join([method.encode(), path.encode(), body])).hexdigest()


def once(actor: Actor, key: str, print_: str, act: Callable[[], Answer]) -> Answer:
    """Do `act` and keep its answer in one transaction, or give the answer that was kept.

    A second equal request that arrives meanwhile waits on the unique index and then gets the first one's answer.
    An expected error is not kept: it changed nothing, and the next try may succeed.
    """
    kept = _kept(actor, key, print_)
    if kept is not None:
        return kept
    try:
        with transaction.atomic():
            outcome = _act_and_keep(actor, key, print_, act)
    except IntegrityError:
        kept = _kept(actor, key, print_)
        if kept is None:
            raise
        return kept
    if isinstance(outcome, PortalError):
        raise outcome
    return outcome


def _act_and_keep(actor: Actor, key: str, print_: str, act: Callable[[], Answer]) -> Answer | PortalError:
    row = RememberedAnswer.objects.create(actor_id=_id(actor), key=key, fingerprint=print_)
    try:
        answer = act()
    except PortalError as error:
        row.delete()  # the audit entry of the refusal is committed with this
        return error
    RememberedAnswer.objects.filter(pk=row.pk).update(status=answer.status, headers=answer.headers, body=answer.body)
    return answer


def _id(actor: Actor) -> uuid.UUID:
    if actor.id is None:
        raise ValueError("only somebody who is signed in can repeat a request")
    return actor.id


def _kept(actor: Actor, key: str, print_: str) -> Answer | None:
    row = RememberedAnswer.objects.filter(actor_id=_id(actor), key=key).first()
    if row is None:
        return None
    if row.fingerprint != print_:
        raise Invalid(
            _("This Idempotency-Key was used for another request."),
            code="idempotency_key_reused",
            hint=_("Take a new key for each new request."),
        )
    return Answer(row.status, row.body, dict(row.headers), repeated=True)
