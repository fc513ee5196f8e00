"""Why an image may not start in a stage, and what to do about it, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Text
from images.promotion import rating, standing

BY_PERSON, OUT_OF_TIME = "withdrawn", "out_of_time"

OBJECTIONS: dict[str, Text] = {
    rating.NOT_SCANNED: gettext_lazy("Nobody scanned this image; %(stage)s asks for %(limit)s or better."),
    rating.SCAN_UNKNOWN: gettext_lazy("The scan could not look at everything: “unknown” passes nowhere."),
    rating.SCAN_WORSE: gettext_lazy("The scan says %(rating)s; %(stage)s asks for %(limit)s or better."),
}
SUSPENDED: dict[str, Text] = OBJECTIONS | {
    BY_PERSON: gettext_lazy("%(person)s withdrew the approval: “%(reason)s”"),
    OUT_OF_TIME: gettext_lazy("Its approval was valid until %(until)s."),
}


def objection(code: str, *, stage: str, limit: str, scan: Mapping[str, Any] | None) -> str:
    return str(OBJECTIONS[code]) % {"stage": stage, "limit": limit, "rating": (scan or {}).get("rating", "")}


def why_suspended(why: Mapping[str, Any] | None) -> str:
    """The sentence of what is kept with a suspended approval."""
    code = str((why or {}).get("code", ""))
    return str(SUSPENDED[code]) % (why or {}).get("params", {}) if code in SUSPENDED else ""


def refusal(found: standing.Refusal, *, image: str, stage: str) -> str:
    words = {"image": image, "stage": stage}
    if found.code == standing.SUSPENDED:
        said = _("%(image)s is suspended in %(stage)s.") % words
        return f"{said} {why_suspended(found.why)}".strip()
    if found.code == standing.ENDED:
        return _("The approval of %(image)s for %(stage)s has ended.") % words
    if found.code == standing.NOT_LISTED:
        return _("%(image)s is not in Berth's list, and %(stage)s takes approved images only.") % words
    return _("%(image)s is not approved for %(stage)s.") % words


def next_step(found: standing.Refusal) -> str:
    if found.code == standing.NOT_LISTED:
        return _("Push it to the project, deploy it to an earlier stage, and ask for its promotion.")
    return _("Ask for its promotion; somebody else who may approve decides.")
