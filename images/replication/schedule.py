"""When a rule is followed by itself, in a few plain words: `hourly`, `every 6 hours`, `daily at 03:00`, ..."""

import re
from datetime import datetime, timedelta

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import FieldProblem, Invalid

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NAMES = dict(zip(DAYS, WEEKDAYS.values(), strict=True))
_TIME = r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)"
_EVERY = re.compile(r"every (?P<hours>[1-9]|1\d|2[0-4]) hours?\Z")
_DAILY = re.compile(rf"daily at {_TIME}\Z")
_WEEKLY = re.compile(rf"weekly on (?P<day>{'|'.join(DAYS)}) at {_TIME}\Z")


def checked(text: str) -> str:
    """The schedule in its usual form; empty: none. Errors: Invalid."""
    words = " ".join(text.lower().split())
    if words and next_after(words, datetime(2026, 1, 1)) is None:
        message = _("This is not a schedule.")
        hint = _("Write hourly, every 6 hours, daily at 03:00, or weekly on monday at 03:00; times are UTC.")
        raise Invalid(errors=[FieldProblem("schedule", "bad_schedule", message, hint)])
    return words


def next_after(words: str, moment: datetime) -> datetime | None:
    """The first time after a moment, in its time zone, which is UTC. None for no schedule."""
    every = 1 if words == "hourly" else int(found["hours"]) if (found := _EVERY.match(words)) else 0
    if every:
        return _whole(moment) + timedelta(hours=every)
    if found := _DAILY.match(words):
        return _first(moment, found, days=1)
    if found := _WEEKLY.match(words):
        ahead = timedelta(days=(DAYS.index(found["day"]) - moment.weekday()) % 7)
        return _first(moment, found, days=7, ahead=ahead)
    return None


def said(words: str) -> str:
    """The schedule in the reader's language."""
    if words == "hourly":
        return _("hourly")
    if found := _EVERY.match(words):
        hours = int(found["hours"])
        return ngettext("every %(hours)s hour", "every %(hours)s hours", hours) % {"hours": hours}
    if found := _DAILY.match(words):
        return _("daily at %(time)s") % {"time": f"{found['hour']}:{found['minute']}"}
    if found := _WEEKLY.match(words):
        time, day = f"{found['hour']}:{found['minute']}", _DAY_NAMES[found["day"]]
        return _("weekly on %(day)s at %(time)s") % {"day": day, "time": time}
    return words


def _whole(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _first(moment: datetime, at: re.Match[str], *, days: int, ahead: timedelta = timedelta()) -> datetime:
    found = _whole(moment).replace(hour=int(at["hour"]), minute=int(at["minute"])) + ahead
    return found if found > moment else found + timedelta(days=days)
