"""Reads of operations: rows as plain dicts, codes as words of the reader's language."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from backends import words as engine_words
from backends.contract import ReasonCode
from core.access import Actor, get_visible, visible
from core.api.paging import Rows, plain
from operations import registry
from operations.models import Operation

ENGINE_CODES = frozenset(ReasonCode)  # a text is found in it; in the enumeration itself only from Python 3.12 on

COLUMNS = [
    "id",
    "kind",
    "state",
    "step",
    "target_name",
    "tenant_id",
    "project_id",
    "requested_by",
    "requested_by_name",
    "request_id",
    "cancel_requested",
    "failure",
    "params",
    "created_at",
    "started_at",
    "ended_at",
    "deadline_at",
]


def told(failure: Mapping[str, Any] | None) -> dict[str, str] | None:
    """`{code, message, hint}` of a stored `{code, params}`, whether an engine's reason or a word of operations."""
    if not failure:
        return None
    code, params = str(failure.get("code", "")), dict(failure.get("params") or {})
    if code in ENGINE_CODES:
        reason = {"code": code, "params": params}
        return {"code": code, "message": engine_words.sentence(reason), "hint": engine_words.hint(reason)}
    return {"code": code, "message": registry.words(code, params), "hint": ""}


def operations(actor: Actor, **filters: Any) -> Rows:
    return plain(visible(actor, Operation.objects.all()).filter(**filters), *COLUMNS)


def operation(actor: Actor, operation_id: uuid.UUID) -> Operation:
    return get_visible(actor, Operation.objects.all(), pk=operation_id)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of COLUMNS as it leaves the API."""
    document = dict(row)
    params = document.pop("params")
    return document | {
        "failure": told(row["failure"]),
        "release": params.get("release"),
        "active": row["state"] in Operation.ACTIVE,
    }


def shown_all(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


def shown_one(row: Operation) -> dict[str, Any]:
    return shown({name: getattr(row, name) for name in COLUMNS})


def events(row: Operation) -> Rows:
    return row.events.values("seq", "at", "step", "level", "code", "params")


def shown_events(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown_event(row) for row in rows]


def shown_event(row: Mapping[str, Any]) -> dict[str, Any]:
    document = {"happened_at": row["at"], "step": row["step"], "level": row["level"], "code": row["code"]}
    words = told({"code": row["code"], "params": row["params"]}) or {}
    return {"seq": row["seq"]} | document | {"message": words.get("message", ""), "hint": words.get("hint", "")}
