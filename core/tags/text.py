"""Icons, amounts, commands, differences, log lines, messages."""

import difflib
import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.contrib.messages import get_messages
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core import wording
from core.markup import Components

register = Components()

UNDO = "undo="
MESSAGE_KINDS = {"success": "ok", "error": "bad", "warning": "warn"}
LEVELS = {"warning": "warn", "warn": "warn", "error": "error", "critical": "error", "fatal": "error"}
MINUS, PLUS = "\N{MINUS SIGN}", "+"


@cache
def _sprite(file: str) -> str:
    """Where it lies, which is the same for as long as the process runs; a page asks fifty times."""
    return static(file)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing of the sprite; its names stand in frontend/icons.txt."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="{}#{}"/></svg>',
        _sprite("vendor/icons.svg"), name,
    )  # fmt: skip


@register.simple_tag
def glyph(kind: str, turns: bool = False) -> SafeString:
    """The drawing of a state: ok, busy, warn, bad, stale, wait, off."""
    return format_html(
        '<svg class="glyph{}" viewBox="0 0 16 16" aria-hidden="true"><use href="{}#{}"/></svg>',
        " turns" if turns else "", _sprite("img/marks.svg"), kind,
    )  # fmt: skip


@register.simple_tag
def product_mark() -> SafeString:
    return format_html(
        '<svg viewBox="0 0 24 24" aria-hidden="true"><use href="{}#berth"/></svg>', _sprite("img/marks.svg")
    )


@register.filter
def bytes(value: int | None) -> str:  # noqa: A001  # the name pages use; the built-in is not needed here
    """1610612736 -> "1.5 GB"; nothing for None."""
    return "" if value is None else wording.bytes_text(value)


@register.filter
def cores(value: int | None) -> str:
    """250 thousandths of a core -> "0.25 cores"; nothing for None."""
    return "" if value is None else wording.cores_text(value)


@register.filter
def duration(value: timedelta | float | None) -> str:
    """112 seconds or a timedelta -> "1 min 52 s"; nothing for None."""
    return "" if value is None else wording.duration_text(wording.as_seconds(value))


@register.filter
def amount(value: float | None) -> str:
    """48204 -> "48,204"."""
    return "" if value is None else wording.number(value)


@register.component("command.html")
def command(context: Context, text: str, label: str = "") -> dict[str, Any]:
    """A command or a value to be copied whole."""
    return {"text": text, "label": label or _("Command")}


def diff_lines(before: str, after: str) -> list[dict[str, str]]:
    """Lines of both texts in order, each with its sign: "-" gone, "+" new, " " in both."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    signs = {"-": ("is-gone", MINUS), "+": ("is-new", PLUS), " ": ("", " ")}
    return [{"css": signs[one[0]][0], "sign": signs[one[0]][1], "text": one[2:]} for one in lines if one[0] != "?"]


@register.component("diff.html")
def diff(context: Context, before: str, after: str, label: str = "") -> dict[str, Any]:
    """What changed between two texts, line by line."""
    return {"lines": diff_lines(before, after), "label": label or _("What changed")}


def marked_parts(line: str, search: str) -> list[tuple[str, bool]]:
    """The line in pieces, each with whether it is what was searched for; large and small letters are alike."""
    if not search:
        return [(line, False)]
    pieces = re.split(f"({re.escape(search)})", line, flags=re.IGNORECASE)
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]


@register.component("log_line.html")
def log_line(
    context: Context, line: str, at: datetime | None = None, source: str = "", level: str = "", series: int = 0,
    search: str = "", goes_on: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One line of a log. `series` 1-6 colours the instance it came from; 0 leaves the instance out. Where `search`
    stands in the line it is marked. `goes_on`: it belongs to the line before, as a stack trace does."""
    return {
        "parts": marked_parts(line, search), "source": source, "level": level, "series": series, "goes_on": goes_on,
        "kind": LEVELS.get(level.lower(), ""),
        "machine": wording.machine_time(at) if at else "",
        "clock": f"{wording.moment_text(at, style='clock')}.{at.microsecond // 1000:03d}" if at else "",
    }  # fmt: skip


@register.block("log.html")
def log(
    context: Context, body: str, label: str, short: bool = False, data: dict[str, str] | None = None,
    wrap: bool = True, times: bool = True, newest: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The ground of `log_line`s. `short`: lines of one instance, without its name and level. `data` is for the script
    of the log page (static/vendor/logs.js), which then owns the lines. `wrap` and `times` may be switched off.
    `newest`: no higher than the window, with its end in view, also when more lines come."""
    css = {
        "is-short": short, "is-tall": bool(data) or newest, "is-unwrapped": not wrap, "is-timeless": not times,
        "is-newest": newest,
    }  # fmt: skip
    return {"label": label, "css": " ".join(name for name, on in css.items() if on), "data": data, "newest": newest}


@register.block("story.html")
def story(context: Context, body: str, label: str = "") -> dict[str, Any]:
    """A history, newest first, of `{% told %}` entries."""
    return {"label": label}


@register.block("told.html")
def told(
    context: Context, body: str, at: datetime | None = None, kind: str = "", icon: str = "history", detail: str = "",
    style: str = "minute",
) -> dict[str, Any]:  # fmt: skip
    """One entry of a story: what happened, with `kind` (a glyph) or an icon, and the time ("minute" or "clock")."""
    machine = {"machine": wording.machine_time(at), "full": wording.moment_text(at, style="full")} if at else {}
    return {"kind": kind, "icon": icon, "detail": detail, "at": at, **machine} | (
        {"clock": wording.moment_text(at, style=style)} if at else {}
    )


@register.component("day.html")
def day(context: Context, title: str) -> dict[str, Any]:
    """A heading inside a story."""
    return {"title": title}


@register.component("notice.html")
def notice(
    context: Context, text: str = "", kind: str = "", detail: str = "", undo: str = "", hollow: bool = False
) -> dict[str, Any]:  # fmt: skip
    """The result of what one just did. `kind`: "" | "ok" | "warn" | "bad"; `undo` is an address that takes a POST;
    `hollow` is a form that a script fills."""
    return {"text": text, "kind": kind, "detail": detail, "undo": undo, "hollow": hollow}


@register.component("toasts.html")
def toasts(context: Context) -> dict[str, Any]:
    """The messages of the request. `messages.success(request, text, extra_tags="undo=/address/")` offers undo."""
    request = context.get("request")
    found: Iterable[Any] = get_messages(request) if request is not None else ()
    return {"notices": [_notice(one) for one in found], "kinds": ("ok", "bad")}


def _notice(message: Any) -> dict[str, str]:
    undo = next((tag.removeprefix(UNDO) for tag in (message.extra_tags or "").split() if tag.startswith(UNDO)), "")
    return {"text": message.message, "kind": MESSAGE_KINDS.get(message.level_tag, ""), "undo": undo}


def script_words() -> dict[str, str]:
    """What the scripts say, in the reader's language; "%(n)s" stands for a number, "%(time)s" for a time."""
    return {
        "copied": _("Copied"),
        "live": _("live"),
        "retry": _("connection lost, trying again in %(n)s s"),
        "lost": _("connection lost, looking every %(n)s s"),
        "slow": _("live messages are away, looking every few seconds"),
        "stale": _("connection lost, last seen %(time)s"),
        "now": _("just now"),
        "secondsAgo": _("%(n)s s ago"),
        "minutesAgo": _("%(n)s min ago"),
        "hoursAgo": _("%(n)s h ago"),
        "yesterday": _("yesterday"),
        "daysAgo": _("%(n)s days ago"),
        "inSeconds": _("in %(n)s s"),
        "inMinutes": _("in %(n)s min"),
        "inHours": _("in %(n)s h"),
        "tomorrow": _("tomorrow"),
        "inDays": _("in %(n)s days"),
        "unsaved": _("What you changed here is not saved. Leave it?"),
        "follow": _("Follow"),
        "pause": _("Pause"),
        "held": _("paused, %(n)s new lines"),
        "ended": _("the stream has ended"),
        "found": _("%(n)s found"),
        "failed": _("The request did not get through. Check the connection and try again."),
        "close": _("Close"),
        "request": _("Request"),
    }


@register.simple_tag
def words() -> str:
    """The value of data-words on <body>."""
    return json.dumps(script_words(), ensure_ascii=False)
