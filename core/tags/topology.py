"""What is made of what: boxes in lanes with lines between them, as a drawing and as a list."""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.template.context import Context

from core.lanes import Drawing, Spot
from core.markup import Components
from core.status import Kind

register = Components()

EDGE = 14.0  # from the edge of a box to its words
NAME_SIZE, ABOUT_SIZE = 13.0, 11.5  # as in topology.css
NARROW, WIDE = 0.53, 1.0  # mean width of a letter, of a Chinese character, as a part of the size
NARROWEST = 736.0  # of a drawing, as in topology.css: one box alone must not be blown up to fill the page
GLYPH = 16.0
CELL, CELL_STEP = 8.0, 11.0
_CSS = {Kind.BAD: "is-bad", Kind.WARN: "is-warn", Kind.BUSY: "is-busy", Kind.STALE: "is-stale", Kind.OFF: "is-off"}


def fitted(text: str, *, room: float, size: float) -> str:
    """The text, cut with an ellipsis where it would be wider than `room`."""
    wide = [(WIDE if unicodedata.east_asian_width(one) in "WF" else NARROW) * size for one in text]
    if sum(wide) <= room:
        return text
    room -= WIDE * size
    kept = 0
    while kept < len(wide) and sum(wide[: kept + 1]) <= room:
        kept += 1
    return text[:kept].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _box(part: Any, spot: Spot) -> dict[str, Any]:
    """Where everything of one box is drawn."""
    kind = part.status.kind if part.status is not None else None
    marked = kind is not None and kind is not Kind.OK
    room = spot.width - 2 * EDGE
    return {
        "part": part,
        "spot": spot,
        "css": _CSS.get(kind, "") if kind is not None else "",
        "glyph": part.status.glyph if marked else "",
        "glyph_x": spot.right - EDGE - GLYPH,
        "glyph_y": spot.y + 10,
        "text_x": spot.x + EDGE,
        "name_y": spot.y + 21,
        "about_y": spot.y + 38,
        "name": fitted(part.title, room=room - (GLYPH + 6 if marked else 0), size=NAME_SIZE),
        "about": fitted(part.about, room=room, size=ABOUT_SIZE),
        "cells": [
            {"css": one, "x": spot.x + EDGE + CELL_STEP * n, "y": spot.y + 49} for n, one in enumerate(part.cells)
        ],
    }


@register.component("topology.html")
def topology(
    context: Context, drawing: Drawing, parts: Iterable[Any], lanes: Iterable[tuple[float, str]], label: str,
    said: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A `core.lanes.Drawing`. A part has `key`, `title`, `about`, `status` (None: no state of its own), `cells`
    (a class each), `url` (empty: no link) and `label` (all of it in words). `said` tells the whole."""
    drawing = replace(drawing, width=max(drawing.width, NARROWEST))
    boxes = [_box(part, drawing.spots[part.key]) for part in parts if part.key in drawing.spots]
    return {
        "drawing": drawing, "boxes": boxes, "lanes": list(lanes), "label": label, "said": said,
        "cell_size": CELL, "glyph_size": GLYPH,
    }  # fmt: skip


@register.block("parts.html")
def parts(context: Context, body: str, label: str) -> dict[str, Any]:
    """The same as a list; its body is `{% part_line %}`s."""
    return {"label": label}


@register.block("part_line.html")
def part_line(context: Context, body: str, part: Any) -> dict[str, Any]:
    """One line of it: name, state, what it is; the body says what leads where. Slot "actions"."""
    return {"part": part}
