"""Amounts and times as people read them, in the reader's language."""

from datetime import UTC, datetime, timedelta

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 86400
BYTE_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def number(value: float, *, places: int = 1) -> str:
    """The number with the separators of the reader's language and no idle zeros: 1,024 or 0.5."""
    rounded = round(value, places)
    shown = 0 if rounded == int(rounded) else len(f"{rounded:.{places}f}".rstrip("0").split(".")[1])
    return str(formats.number_format(rounded, decimal_pos=shown, use_l10n=True, force_grouping=True))


def bytes_text(value: float) -> str:
    """Bytes in the largest unit that keeps the number at 1 or more; a unit is 1024 of the one below it."""
    unit = 0
    while abs(value) >= 1024 and unit < len(BYTE_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{number(value, places=1 if value < 100 else 0)} {BYTE_UNITS[unit]}"


def cores_text(millicores: int) -> str:
    """Thousandths of a core as cores: 250 is "0.25 cores"."""
    cores = millicores / 1000
    return ngettext("%(amount)s core", "%(amount)s cores", 1 if cores == 1 else 2) % {"amount": number(cores, places=3)}


def duration_text(seconds: float) -> str:
    """A length of time in its two largest units: 112 is "1 min 52 s"."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return _("%(seconds)s s") % {"seconds": whole}
    if whole < HOUR:
        return _two(_("%(n)s min") % {"n": whole // MINUTE}, whole % MINUTE, _("%(n)s s"))
    if whole < DAY:
        return _two(_("%(n)s h") % {"n": whole // HOUR}, whole % HOUR // MINUTE, _("%(n)s min"))
    return _two(_("%(n)s d") % {"n": whole // DAY}, whole % DAY // HOUR, _("%(n)s h"))


def _two(large: str, rest: int, small: str) -> str:
    return f"{large} {small % {'n': rest}}" if rest else large


def ago_text(when: datetime, *, now: datetime | None = None) -> str:
    """How long ago `when` was, or how long until it comes; a date when that is more than 30 days."""
    gap = ((now or timezone.now()) - when).total_seconds()
    if abs(gap) >= 30 * DAY:
        return str(formats.date_format(timezone.localtime(when), "DATE_FORMAT"))
    return _past(gap) if gap >= 0 else _future(-gap)


def _past(gap: float) -> str:
    if gap < 5:
        return _("just now")
    if gap < MINUTE:
        return _("%(n)s s ago") % {"n": int(gap)}
    if gap < HOUR:
        return _("%(n)s min ago") % {"n": int(gap // MINUTE)}
    if gap < DAY:
        return _("%(n)s h ago") % {"n": int(gap // HOUR)}
    return _("yesterday") if gap < 2 * DAY else _("%(n)s days ago") % {"n": int(gap // DAY)}


def _future(gap: float) -> str:
    if gap < MINUTE:
        return _("in %(n)s s") % {"n": int(gap)}
    if gap < HOUR:
        return _("in %(n)s min") % {"n": int(gap // MINUTE)}
    if gap < DAY:
        return _("in %(n)s h") % {"n": int(gap // HOUR)}
    return _("tomorrow") if gap < 2 * DAY else _("in %(n)s days") % {"n": int(gap // DAY)}


def moment_text(when: datetime, *, style: str) -> str:
    """`when` in the reader's time zone: "clock" 09:46:41, "minute" 09:46, "day", "full" (the default)."""
    local = timezone.localtime(when)
    if style == "clock":
        return local.strftime("%H:%M:%S")
    if style == "minute":
        return local.strftime("%H:%M")
    if style == "day":
        this_year = local.year == timezone.localtime().year
        return str(formats.date_format(local, "MONTH_DAY_FORMAT" if this_year else "DATE_FORMAT"))
    return f"{local.replace(tzinfo=None).isoformat(' ', 'seconds')} {local.tzname()}"


def machine_time(when: datetime) -> str:
    """The value of a <time datetime>: UTC, to the second, "2026-11-21T09:35:00Z"."""
    return f"{when.astimezone(UTC).replace(tzinfo=None).isoformat('T', 'seconds')}Z"


def as_seconds(value: timedelta | float) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
