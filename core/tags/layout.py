"""Parts of a page: head, panel, facts, tabs, switches, filters, sheets, dialogs, live parts, buttons."""

from typing import Any
from zlib import crc32

from django.http import QueryDict
from django.template.context import Context
from django.utils.http import urlencode
from django.utils.text import slugify

from core.markup import Components

register = Components()

PLACE_KEYS = {
    "layout-dashboard": "o",
    "box": "a",
    "stack-2": "i",
    "file-text": "l",
    "users": "m",
    "gauge": "q",
    "shield-check": "u",
}
"""The key that, after "g", leads to the page a drawing stands for in the side bar."""


def _id(given: str, title: str, prefix: str) -> str:
    """A title in another script has no slug: its checksum tells two of them apart."""
    return given or f"{prefix}-{slugify(title) or f'{crc32(str(title).encode()):08x}'}"


@register.block("page_head.html")
def page_head(context: Context, body: str, title: str) -> dict[str, Any]:
    """Title, the one sentence under it (the body) and slot "actions"; slot "beside" stands in the title."""
    return {"title": title}


@register.block("panel.html")
def panel(
    context: Context, body: str, title: str, id: str = "", aside: str = "", flush: bool = False
) -> dict[str, Any]:  # fmt: skip
    """A named group. `aside` is quiet text beside the title; `flush` leaves out the padding (for lists and logs).
    Slots "tools" (in the head) and "foot"."""
    return {"title": title, "id": _id(id, title, "panel"), "aside": aside, "flush": flush}


@register.block("facts.html")
def facts(context: Context, body: str) -> dict[str, Any]:
    """A few fixed properties; its body is `{% fact %}`s."""
    return {}


@register.block("fact.html")
def fact(context: Context, body: str, name: str) -> dict[str, Any]:
    return {"name": name}


@register.block("empty.html")
def empty(context: Context, body: str, title: str, icon: str = "box") -> dict[str, Any]:
    """Says what would stand here and holds the first step in slot "actions"."""
    return {"title": title, "icon": icon}


@register.component("skeleton.html")
def skeleton(context: Context, lines: int = 3) -> dict[str, Any]:
    """Grey lines while something loads."""
    widths = ("", "is-mid", "is-short")
    return {"widths": [widths[number % len(widths)] for number in range(lines)]}


@register.component("button.html")
def button(
    context: Context, label: str, href: str = "", kind: str = "", icon: str = "", name: str = "", value: str = "",
    submit: bool = False, why_not: str = "", small: bool = False, opens: str = "", does: str = "",
    sheet: bool = False, unchecked: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A button, or a link that looks like one when it has `href`.

    `kind`: "" | "main" | "prod" | "danger" | "bare". `why_not` disables it and says why, and who can help.
    `opens` is the id of a dialog; `does` names a behaviour of frontend/src. `submit` sends the form it stands in.
    `sheet`: its `href` is a side sheet, opened in place. `unchecked`: what lacks is the server's to say or fill in.
    """
    return {
        "label": label, "href": href, "kind": kind, "icon": icon, "name": name, "value": value, "small": small,
        "submit": submit, "why_not": why_not, "why_id": _id("", label, "why"), "opens": opens, "does": does,
        "sheet": sheet, "unchecked": unchecked,
    }  # fmt: skip


@register.component("tool_link.html")
def tool_link(context: Context, label: str, href: str, icon: str) -> dict[str, Any]:
    """A link that is only a drawing; `label` says it, and shows when one rests on it."""
    return {"label": label, "href": href, "icon": icon}


@register.block("tabs.html")
def tabs(context: Context, body: str, label: str) -> dict[str, Any]:
    """Links to the views of one thing; its body is `{% tab %}`s."""
    return {"label": label}


@register.component("tab.html")
def tab(context: Context, label: str, href: str, current: bool = False, count: int | None = None) -> dict[str, Any]:
    return {"label": label, "href": href, "current": current, "count": count}


@register.block("switch.html")
def switch(context: Context, body: str, label: str) -> dict[str, Any]:
    """Two to five ways to see one thing, as links; its body is `{% way %}`s."""
    return {"label": label}


@register.component("way.html")
def way(
    context: Context, label: str, href: str = "", current: bool = False, environment: Any = None, name: str = "",
    value: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A link; with `name` and `value` a button of the form it stands in, for ways that must not lose what is typed."""
    return {
        "label": label, "href": href, "current": current, "environment": environment, "name": name, "value": value,
    }  # fmt: skip


@register.block("filters.html")
def filters(context: Context, body: str, label: str = "") -> dict[str, Any]:
    return {"label": label}


@register.component("filter_chip.html")
def filter_chip(context: Context, name: str, value: str, parameter: str) -> dict[str, Any]:
    """A filter that is set; its cross leads to the same address without `parameter` and without a cursor."""
    return {"name": name, "value": value, "without": address_with(context, {parameter: None, "cursor": None})}


def address_with(context: Context, changes: dict[str, str | None]) -> str:
    """Query string of this page with some parameters set, or removed by None: "?sort=name" or "?"."""
    request = context.get("request")
    query = request.GET if request is not None else QueryDict()
    pairs = [(key, one) for key in query if key not in changes for one in query.getlist(key)]
    pairs += [(key, one) for key, one in changes.items() if one is not None]
    return f"?{urlencode(pairs)}"


@register.block("sheet.html")
def sheet(
    context: Context, body: str, title: str, back: str, narrow: bool = False, beside: bool = False,
    action: str = "", id: str = "sheet", earlier: str = "", later: str = "",
) -> dict[str, Any]:  # fmt: skip
    """One entry or one form over the page it belongs to, in `{% block sheet %}` of a page with its own address.

    `back` is the address of the page below. `action` makes the whole sheet one form (POST). `beside`: on wide
    screens it stands beside the page, which stays usable. `earlier` and `later` lead to the neighbours.
    Slots "tools" (in the head) and "foot" (the buttons).
    """
    return {
        "title": title, "back": back, "narrow": narrow or beside, "beside": beside, "action": action, "id": id,
        "earlier": earlier, "later": later,
    }  # fmt: skip


@register.block("part.html")
def part(context: Context, body: str, title: str, aside: str = "") -> dict[str, Any]:
    """A named section of a form."""
    return {"title": title, "aside": aside}


@register.block("folds.html")
def folds(context: Context, body: str) -> dict[str, Any]:
    """Sections of a form that are closed while their defaults are good; its body is `{% fold %}`s."""
    return {}


@register.block("fold.html")
def fold(
    context: Context, body: str, title: str, said: str = "", is_open: bool = False, said_id: str = ""
) -> dict[str, Any]:
    """`said` tells what the section holds, so that it need not be opened; with `said_id` it can be swapped alone."""
    return {"title": title, "said": said, "is_open": is_open, "said_id": said_id}


@register.block("dialog.html")
def dialog(
    context: Context, body: str, title: str, action: str, label: str, id: str, name: str = "", keep: str = "",
    kind: str = "danger",
) -> dict[str, Any]:  # fmt: skip
    """Asks before what cannot be undone; the person types `name`, which the server checks in field `typed_name`.

    Opened by `{% button ... opens=id %}`, or without JavaScript by the address with `?ask=<id>`.
    """
    request = context.get("request")
    shown = request is not None and request.GET.get("ask") == id
    return {
        "title": title, "action": action, "label": label, "id": id, "name": name, "keep": keep, "kind": kind,
        "shown": shown, "away": address_with(context, {"ask": None}),
    }  # fmt: skip


@register.block("live.html")
def live(
    context: Context,
    body: str,
    id: str,
    fragment: str,
    kinds: str = "",
    of: object = "",
    within: object = "",
    socket: str = "",
    every: int = 0,
    seq: int = 0,
) -> dict[str, Any]:
    """A part of a page that keeps itself new.

    `fragment` is the address that answers with this very part (same `id`). `kinds` says which messages of the page's
    feed concern it: "cluster" any, "place:" the one that is `of`, "operation@" any in the project or tenant `within`.
    A `socket` of its own rings whatever it says, after `seq`, the last event the part already shows. Every so many
    seconds (`every`) it is fetched besides, where it shows numbers of which no message tells.
    """
    said = " ".join(kind + str({":": of, "@": within}.get(kind[-1], "")) for kind in kinds.split())
    return {"id": id, "fragment": fragment, "kinds": said, "socket": socket, "every": every, "seq": seq}


@register.block("todo.html")
def todo(context: Context, body: str) -> dict[str, Any]:
    """What needs the reader; its body is `{% need %}`s."""
    return {}


@register.block("need.html")
def need(context: Context, body: str, title: str, kind: str = "warn") -> dict[str, Any]:
    """One line: what, why it matters (the body), and slot "actions" with what settles it."""
    return {"title": title, "kind": kind}


@register.filter
def place_key(icon: str) -> str:
    """The key of a place of the side bar, by its icon; nothing for those without one."""
    return PLACE_KEYS.get(icon, "")


@register.component("crumb.html")
def crumb(context: Context, label: str, url: str = "", here: bool = True) -> dict[str, Any]:
    """One step of where the reader is; the last one has no address. `here=False`: on the way, but without a page."""
    return {"label": label, "url": url, "here": here}
