"""What tells how, where and since when: state, environment, chip, note, freshness."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.markup import Components
from core.status import Kind, Status
from core.tags.text import glyph, icon
from core.wording import ago_text, machine_time, moment_text

register = Components()

STAGES = ("dev", "test", "prod")


@register.simple_tag
def state(status: object, word: str = "") -> SafeString:
    """Glyph and word of a `core.status.Status` or key; `word` replaces the word, never the glyph."""
    found = Status.of(status)
    drawn = '<span class="state {}">{}<span>{}</span></span>'
    return format_html(drawn, found.css, glyph(found.kind.value), word or found.word)


@register.simple_tag
def env(environment: Any, passed: bool = True) -> SafeString:
    """The box of an environment: an object with `name`, `stage` and `protected`.

    `passed=False` draws a stage that an artifact has not reached.
    """
    stage = str(getattr(environment, "stage", ""))
    shown = stage if stage in STAGES else "test"
    if not passed:
        drawn = '<span class="env is-{} is-not">{}<span class="unseen"> {}</span></span>'
        return format_html(drawn, shown, environment.name, _("not reached"))
    lock = icon("lock") if getattr(environment, "protected", False) else ""
    return format_html('<span class="env is-{}">{}{}</span>', shown, lock, environment.name)


@register.component("rungs.html")
def rungs(context: Context, environments: Iterable[Any], passed: Iterable[str]) -> dict[str, Any]:
    """All environments of a project in order; the names in `passed` are the ones reached."""
    reached = set(passed)
    return {"rungs": [{"environment": one, "passed": one.name in reached} for one in environments]}


@register.component("chip.html")
def chip(
    context: Context, text: str = "", strong: str = "", until: str = "", icon: str = "", kind: str = ""
) -> dict[str, Any]:
    """A right or a property. `kind`: "" | "soon" | "ok" | "bad"."""
    return {"text": text, "strong": strong, "until": until, "icon": icon, "kind": kind}


@register.simple_tag
def tally(count: int, label: str = "") -> SafeString:
    """A count beside a name in a menu or tab; nothing when it is 0."""
    if not count:
        return SafeString("")
    said = format_html('<span class="unseen"> {}</span>', label) if label else ""
    return format_html('<span class="tally">{}{}</span>', count, said)


@register.component("person.html")
def person(context: Context, name: str, small: bool = True, only_mark: bool = False) -> dict[str, Any]:
    """A person's mark (two letters) with the name; `only_mark` leaves out the name."""
    return {"name": name, "initials": str(name)[:2].lower(), "small": small, "only_mark": only_mark}


@register.simple_tag
def grade(rating: str) -> SafeString:
    """The rating of a scan: A to F, "unknown", or empty where nobody looked yet."""
    if not rating or rating == "unknown":
        return format_html('<span class="quiet">{}</span>', _("unknown") if rating else _("not scanned"))
    css = "is-a" if rating in "AB" else "is-c" if rating in "CD" else "is-e"
    told = _("Scan rating %(rating)s") % {"rating": rating}
    return format_html('<span class="grade {}" title="{}">{}</span>', css, told, rating)


@register.simple_tag
def time(when: datetime | None, style: str = "relative") -> SafeString:
    """A moment. `style`: "relative" (refreshes itself), "clock", "minute", "day", "full"."""
    if not when:
        return format_html('<span class="quiet">{}</span>', _("never"))
    drawn, exact = '<time datetime="{}" title="{}"{}>{}</time>', (machine_time(when), moment_text(when, style="full"))
    if style == "relative":
        return format_html(drawn, *exact, SafeString(" data-relative"), ago_text(when))
    return format_html(drawn, *exact, "", moment_text(when, style=style))


@register.component("fresh.html")
def fresh(context: Context, state: str = "live", word: str = "", at: datetime | None = None) -> dict[str, Any]:
    """Says how new the numbers beside it are. `state`: "live", "retry", "stale" (then give `at`)."""
    said = word or {"live": _("live"), "retry": _("connection lost, trying again")}.get(state, "")
    if not said and at is not None:
        said = _("last seen %(time)s") % {"time": ago_text(at)}
    return {"state": state, "word": said or _("out of date"), "at": machine_time(at) if at else ""}


@register.block("note.html")
def note(context: Context, body: str, title: str = "", kind: str = "", icon: str = "info-circle") -> dict[str, Any]:
    """One sentence that matters. `kind`: "" | "warn" | "bad" | "ok". Slot "actions"."""
    return {"title": title, "kind": kind, "glyph": kind if kind in set(Kind) else "", "icon": icon}


@register.component("proof.html")
def proof(
    context: Context, title: str, detail: str = "", url: str = "", link: str = "", holds: bool | None = True
) -> dict[str, Any]:
    """The line that says until where the chain of the audit was verified; `holds` None: nobody has looked yet."""
    return {"title": title, "detail": detail, "url": url, "link": link, "holds": holds}
