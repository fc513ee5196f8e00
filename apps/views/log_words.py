"""What the scripts of the log page say, in the reader's language; counted sentences as [of one, of many]."""

import json
from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def words() -> str:
    """The value of data-words on the log."""
    return json.dumps(_sentences() | _amounts(), ensure_ascii=False)


def _sentences() -> dict[str, str]:
    return {
        "live": _("live"),
        "reading": _("reading"),
        "complete": _("complete"),
        "ended": _("the stream has ended"),
        "retry": _("connection lost, trying again in %(n)s s"),
        "follow": _("Follow"),
        "pause": _("Pause"),
        "details": _("Details of the line at %(time)s of %(source)s"),
        "cut": _("… cut here; the line has %(size)s. "),
        "showAll": _("Show all of it"),
        "showThem": _("Show them"),
        "around": _("Lines around it"),
        "copyLine": _("Copy the line"),
        "copyLink": _("Copy a link to it"),
        "copied": _("Copied"),
        "older": _("Load older lines"),
        "loading": _("Loading older lines"),
        "beginning": _("This is the beginning of the log"),
        "full": _("The page holds %(n)s lines; choose a time to see older ones"),
        "firstLines": _("the first %(n)s lines of this time"),
        "peak": _("peak at %(time)s: %(lines)s lines %(span)s"),
        "foundAt": _("%(place)s of %(n)s found"),
    }


def _amounts() -> dict[str, list[str]]:
    """The plural is chosen by the script, so both forms travel."""
    counted: dict[str, Callable[[int], str]] = {
        "found": lambda n: _("%(n)s found"),
        "hidden": lambda n: ngettext("%(n)s line hidden by the filter", "%(n)s lines hidden by the filter", n),
        "held": lambda n: ngettext("paused, %(n)s new line", "paused, %(n)s new lines", n),
        "heldFull": lambda n: ngettext("paused, %(n)s new line and more", "paused, %(n)s new lines and more", n),
        "rate": lambda n: ngettext("%(n)s line a second", "%(n)s lines a second", n),
        "loaded": lambda n: ngettext("%(n)s line is loaded.", "%(n)s lines are loaded.", n),
        "errors": lambda n: ngettext("%(n)s speaks of an error.", "%(n)s speak of an error.", n),
        "perSeconds": lambda n: ngettext("in %(n)s second", "in %(n)s seconds", n),
        "perMinutes": lambda n: ngettext("in %(n)s minute", "in %(n)s minutes", n),
        "perHours": lambda n: ngettext("in %(n)s hour", "in %(n)s hours", n),
    }
    return {name: [make(1), make(2)] for name, make in counted.items()}
