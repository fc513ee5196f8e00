"""Amounts: trends, parts of a whole, the figures that head a page. Sizes are SVG attributes, never styles."""

from collections.abc import Iterable
from typing import Any

from django.template.context import Context

from core.markup import Components
from core.status import Status

register = Components()

WIDTH, HEIGHT, ROOM = 96, 24, 1.8
"""The box of a spark, and how far its line stays from the edges."""
LIMIT_WIDTH = 0.6  # percent


def spark_points(values: Iterable[float]) -> str:
    """The points of a polyline through the values, oldest first; "" for fewer than two."""
    numbers = [float(value) for value in values]
    if len(numbers) < 2:
        return ""
    low, high = min(numbers), max(numbers)
    span = (high - low) or 1.0
    step = WIDTH / (len(numbers) - 1)
    flat = 0.5 if high == low else 0.0
    heights = [HEIGHT - ROOM - ((value - low) / span + flat) * (HEIGHT - 2 * ROOM) for value in numbers]
    return " ".join(f"{place * step:.1f},{height:.1f}" for place, height in enumerate(heights))


@register.component("spark.html")
def spark(context: Context, values: Iterable[float], label: str, kind: str = "") -> dict[str, Any]:
    """A trend beside its number. `label` says it in words; `kind`: "" | "warn" | "bad" | "stale"."""
    return {"points": spark_points(values), "label": label, "kind": kind, "width": WIDTH, "height": HEIGHT}


def _percent(part: float, whole: float) -> float:
    return round(min(100.0, max(0.0, 100 * part / whole)), 1) if whole else 0.0


def bar_parts(parts: Iterable[tuple[str, float]], whole: float) -> list[dict[str, Any]]:
    """Rectangles one after the other, in percent of `whole`; together never more than 100."""
    drawn, start = [], 0.0
    for css, amount in parts:
        width = min(_percent(amount, whole), 100.0 - start)
        if width > 0:
            drawn.append({"css": css, "x": round(start, 1), "width": round(width, 1)})
        start += width
    return drawn


def load_kind(used: float, whole: float) -> str:
    """bad from 95 %, warn from 80 % of the whole."""
    share = used / whole if whole else 0.0
    return "bad" if share >= 0.95 else "warn" if share >= 0.8 else ""


@register.component("bar.html")
def bar(
    context: Context, used: float, whole: float, label: str, held: float = 0, lent: float = 0, thin: bool = False,
    borrowed: float = 0,
) -> dict[str, Any]:  # fmt: skip
    """A part of a whole, in any one unit; `label` says it in words. `borrowed` is the last part of the whole, past a
    mark where the own limit ends."""
    parts = bar_parts((("used", used), ("held", held), ("lent", lent)), whole)
    if over := _percent(borrowed, whole):
        own = round(100 - over, 1)
        parts += [{"css": "borrowed", "x": own, "width": over}, {"css": "limit", "x": own, "width": LIMIT_WIDTH}]
    return {"parts": parts, "label": label, "kind": load_kind(used + held + lent, whole), "thin": thin}


@register.component("quota.html")
def quota(
    context: Context, name: str, said: str, used: float, whole: float, held: float = 0, lent: float = 0, note: str = "",
    borrowed: float = 0,
) -> dict[str, Any]:  # fmt: skip
    """A bar with its name and its numbers in words (`said`: "58 of 64 GB")."""
    return {
        "name": name, "said": said, "used": used, "whole": whole, "held": held, "lent": lent, "note": note,
        "borrowed": borrowed,
    }  # fmt: skip


@register.block("figures.html")
def figures(context: Context, body: str) -> dict[str, Any]:
    """The numbers that head a page; its body is up to four `{% figure %}`s."""
    return {}


@register.block("figure.html")
def figure(context: Context, body: str, name: str, value: str, unit: str = "", stale: bool = False) -> dict[str, Any]:
    """One number with its unit; the body (a spark, a word) stands beside it."""
    return {"name": name, "value": value, "unit": unit, "stale": stale}


@register.block("host.html")
def host(context: Context, body: str, name: str, status: object, url: str = "") -> dict[str, Any]:
    """A cell of `{% hosts %}`; the body tells how it is."""
    from_status = {"ok": "is-ok", "bad": "is-bad", "warn": "is-warn", "stale": "is-off", "off": "is-off"}
    found = Status.of(status)
    return {
        "name": name,
        "url": url,
        "glyph": found.glyph,
        "word": found.word,
        "css": from_status.get(found.kind.value, ""),
    }


@register.block("hosts.html")
def hosts(context: Context, body: str, label: str) -> dict[str, Any]:
    """One cell a machine, worst first; its body is `{% host %}`s."""
    return {"label": label}


@register.component("load_bar.html")
def load_bar(
    context: Context, name: str, used: float, whole: float, held: float = 0, percent: str = "", said: str = "",
    stale: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A thin bar with its name and percent, for `{% host %}`; `said` is what it is read out as."""
    shown = percent or round(_percent(used + held, whole))
    return {
        "name": name, "used": used, "whole": whole, "held": held, "percent": shown, "said": said or name,
        "stale": stale,
    }  # fmt: skip
