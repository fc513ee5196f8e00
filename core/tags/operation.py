"""What is being done and where it stands: preflight, steps, instances, stages."""

from collections.abc import Iterable
from typing import Any

from django.template.context import Context

from core.markup import Components
from core.status import Kind, Status
from core.wording import as_seconds, duration_text

register = Components()

GRID_KINDS = {Kind.OK: "is-ok", Kind.BUSY: "is-busy", Kind.BAD: "is-bad", Kind.WARN: "is-warn"}


def _kind(one: Any) -> Kind:
    """The kind of a line: its `kind`, or that of its `status`."""
    given = getattr(one, "kind", None)
    if given is not None and str(getattr(given, "value", given)) in set(Kind):
        return Kind(str(getattr(given, "value", given)))
    return Status.of(getattr(one, "status", None)).kind


@register.component("preflight.html")
def preflight(context: Context, lines: Iterable[Any], title: str = "", id: str = "preflight") -> dict[str, Any]:
    """What would fail before it is tried. A line has `kind` (ok, warn, bad) or `status`, `title`, `detail`, and
    `fix`: None or an object with `label` and `url` (a link) or `name` and `value` (sent with the form)."""
    drawn = [{"kind": _kind(one).value, "line": one, "fix": getattr(one, "fix", None)} for one in lines]
    order = {"bad": 0, "warn": 1}
    drawn.sort(key=lambda one: order.get(str(one["kind"]), 2))
    bad = sum(one["kind"] == "bad" for one in drawn)
    warn = sum(one["kind"] == "warn" for one in drawn)
    return {
        "lines": drawn, "title": title, "id": id, "bad": bad, "warn": warn, "total": len(drawn),
        "passed": len(drawn) - bad - warn,
    }  # fmt: skip


@register.component("step_list.html")
def step_list(context: Context, steps: Iterable[Any]) -> dict[str, Any]:
    """The steps of an operation. A step has `status` (or `kind`), `title`, and may have `detail` and
    `took_seconds` (a number or None) or `took` (words such as "about 30 s")."""
    return {"steps": [{"kind": _kind(one).value, "step": one, "took": _took(one)} for one in steps]}


def _took(step: Any) -> str:
    seconds = getattr(step, "took_seconds", None)
    return str(getattr(step, "took", "")) if seconds is None else duration_text(as_seconds(seconds))


@register.component("instance_grid.html")
def instance_grid(
    context: Context, instances: Iterable[Any], mini: bool = False, current: object = None, label: str = ""
) -> dict[str, Any]:
    """One cell a copy. An instance has `number` and `status`, and may have `url`, `word` (instead of the word
    of the status), `shown_status` and `shown_word` (which go before) and `old` (it runs the release before).
    `current` is the number shown beside."""
    cells = []
    for place, one in enumerate(instances, start=1):
        status = Status.of(getattr(one, "shown_status", None) or getattr(one, "status", None))
        number = getattr(one, "number", place)
        cells.append({
            "number": number, "url": getattr(one, "url", ""), "current": number == current,
            "word": getattr(one, "shown_word", "") or getattr(one, "word", "") or status.word,
            "css": "is-old" if getattr(one, "old", False) else GRID_KINDS.get(status.kind, "is-wait"),
        })  # fmt: skip
    return {"cells": cells, "mini": mini, "label": label}


@register.block("legend.html")
def legend(context: Context, body: str) -> dict[str, Any]:
    """What the cells or bars above it mean; its body is `<li>`s."""
    return {}


@register.block("stage_card.html")
def stage_card(
    context: Context, body: str, title: str = "", url: str = "", status: object = None, word: str = "",
    count: str = "", environment: Any = None, stale: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """An app in one environment: release, count, state; the body is the line below. Without `status` it is the
    empty place of an app that is not there yet. Slots "trend" (a spark) and "drift"."""
    found = Status.of(status) if status is not None else None
    return {
        "title": title, "url": url, "status": found, "word": word, "count": count, "environment": environment,
        "stale": stale, "bad": found is not None and found.kind is Kind.BAD,
    }  # fmt: skip


@register.block("board.html")
def board(context: Context, body: str, label: str, environments: Iterable[Any]) -> dict[str, Any]:
    """Apps down, environments across. Its body: one `{% stage_head %}` for each environment, then for each app a
    `{% board_row %}` and one `{% stage_card %}` for each environment with a `{% lift %}` between two."""
    count = max(1, min(len(list(environments)), 4))
    return {"label": label, "count": count}


@register.block("stage_head.html")
def stage_head(
    context: Context, body: str, environment: Any, status: object = None, word: str = "", first: bool = False
) -> dict[str, Any]:
    """Head of a column; the body (the cluster's name) is quiet. `first` for the first environment."""
    return {"environment": environment, "status": status, "word": word, "first": first}


@register.component("board_row.html")
def board_row(context: Context, name: str, url: str, said: str = "") -> dict[str, Any]:
    return {"name": name, "url": url, "said": said}


@register.component("lift.html")
def lift(context: Context, label: str = "", url: str = "", ready: bool = False) -> dict[str, Any]:
    """The arrow that promotes. Filled when `ready`, outlined when it may be asked for, faint without `url`."""
    return {"label": label, "url": url, "ready": ready}
