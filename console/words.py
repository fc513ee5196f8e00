"""Why a console ended, for the person who had it open."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backends import words
from backends.contract import Reason, ReasonCode

_WHY: dict[str, tuple[Promise, Promise]] = {
    "asked": (_("The console was ended."), _("Open a new one when you need it.")),
    "idle": (_("The console ended because no key was pressed for a while."), _("Open a new one to go on.")),
    "limit": (_("The console ended because it was open for as long as one may be."), _("Open a new one to go on.")),
    "left": (_("The console ended because nobody came back to it in time."), _("Open a new one.")),
    "right": (
        _("The console ended because you may not have it open any more."),
        _("Your role, your session or your token was changed. An owner or admin of the tenant can say why."),
    ),
    "restarting": (_("The console ended because Berth is being restarted."), _("Open a new one in a moment.")),
    "elsewhere": (_("The console goes on in another window."), _("Go on there, or open a new one here.")),
}
_NO_SHELL = _(
    "Try another shell. An image without any shell cannot have a console: read its log, or deploy a variant of it "
    "that holds a shell while you look."
)


def sentence_and_hint(why: str, reason: Reason | None = None, **known: Any) -> tuple[str, str]:
    """What happened and what to do, in the active language. `known` fills gaps of the engine's reason."""
    if reason is None:
        sentence, hint = _WHY.get(why, _WHY["asked"])
        return str(sentence), str(hint)
    told = Reason(reason.code, known | dict(reason.params))
    if reason.code == ReasonCode.NO_SHELL:
        return words.sentence(told), str(_NO_SHELL)
    return words.sentence(told), words.hint(told)
