"""What can be chosen around a log: ranges, switches, chips, levels, downloads."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from apps.views.log_asked import RANGES, LogPage
from core.wording import moment_text


def of(found: LogPage) -> dict[str, Any]:
    return {
        "filters": _chips(found),
        "ranges": _ranges(found),
        "toggles": _toggles(found),
        "levels": _levels(found),
        "downloads": _downloads(found),
        "kept_by_search": found.unseen("search", "level", "service"),
        "kept_by_times": found.unseen("range", "from", "to", "at"),
    }


def _ranges(found: LogPage) -> list[dict[str, Any]]:
    now = "" if found.asked["from"] or found.asked["to"] or found.asked["at"] else found.asked["range"]
    away = {"from": "", "to": "", "at": ""}
    return [
        {
            "label": _range(length),
            "url": found.address(range=name, **away),
            "current": now == name,
        }
        for name, length in RANGES.items()
    ]


def _range(length: timedelta | None) -> str:
    if length is None:
        return _("All")
    hours = length // timedelta(hours=1)
    return _("%(n)s h") % {"n": hours} if hours else _("%(n)s min") % {"n": length // timedelta(minutes=1)}


def _toggles(found: LogPage) -> list[dict[str, Any]]:
    """Wrap and times as links, so that they need no script and can be sent on."""
    named = (("wrap", _("Wrap")), ("times", _("Times")))
    turned = {name: "" if found.asked[name] == "0" else "0" for name, _label in named}
    return [
        {"label": label, "url": found.address(**{name: turned[name]}), "on": found.asked[name] != "0"}
        for name, label in named
    ]


def _levels(found: LogPage) -> list[dict[str, Any]]:
    named = (
        ("", _("All levels")),
        ("debug", _("Debug and above")),
        ("info", _("Info and above")),
        ("warn", _("Warn and above")),
        ("error", _("Errors only")),
    )
    return [{"value": value, "label": label, "chosen": value == found.asked["level"]} for value, label in named]


def _chips(found: LogPage) -> list[dict[str, str]]:
    """The filters that no field shows, as chips."""
    chips = []
    if found.instance is not None:
        row = found.instance
        value = f"{row.service} {row.number}"
        chips.append({"name": _("Instance"), "value": value, "parameter": "instance"})
    stretch = found.stretch
    named = (("from", _("From"), stretch.since), ("to", _("To"), stretch.until), ("at", _("At"), stretch.at))
    chips += [
        {"name": label, "value": moment_text(moment, style="full"), "parameter": name}
        for name, label, moment in named
        if found.asked[name] and moment is not None
    ]
    return chips


def _downloads(found: LogPage) -> list[dict[str, str]]:
    return [
        {"label": _("These lines as text"), "url": found.download(format="text"), "these": "1"},
        {"label": _("These lines, a file for each instance (zip)"), "url": found.download(format="zip"), "these": "1"},
        {"label": _("Everything, a file for each instance (zip)"), "url": f"{found.api}/download?format=zip"},
    ]
