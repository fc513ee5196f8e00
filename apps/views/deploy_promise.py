"""What the deploy button will do, and why it does not, in words."""

from django.utils.translation import gettext as _

from apps.models import Release
from apps.specification import Specification
from apps.views.deploy_where import Where


def same_release(where: Where, asked: Release | None, spec: Specification | None) -> Release | None:
    """An earlier release left as it is, which does not run here: it is deployed itself, not a copy of it."""
    earlier = asked if asked != where.place.release else None
    return earlier if earlier and spec and earlier.spec_hash == spec.spec_hash else None


def promise(where: Where, *, name: str, again: Release | None) -> str:
    here = where.place.release
    words = {
        "app": where.app.name if where.app else name or _("the app"),
        "environment": where.environment.name,
        "release": again.number if again else where.next_number,
        "before": here.number if here else "",
    }
    if where.new:
        return _("Makes %(app)s with release 1 and runs it in %(environment)s.") % words
    if again:
        text = _("Puts release %(release)s of %(app)s into %(environment)s, with the same images.") % words
    else:
        text = _("Makes release %(release)s of %(app)s.") % words
    return text + (" " + _("Release %(before)s keeps serving while it rolls.") % words if here else "")


def why_not(where: Where, *, blocked: bool) -> str:
    """Why the button does nothing; empty where it deploys."""
    if where.why_not:
        return where.why_not
    if where.active:
        return _("Wait until deployment %(number)s has ended, or cancel it.") % {"number": where.active.number}
    return _("Mend the red lines first.") if blocked else ""
