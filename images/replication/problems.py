"""What can go wrong with a registry elsewhere: what may pass, and what will not however often one tries."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, PortalError, Text, Unavailable


class RemoteAway(Unavailable):
    """It does not answer, or says that it cannot just now: to be tried again."""

    code = "remote_away"
    title = _("The other registry does not answer")
    hint = _("Try again in a minute, and check its address.")

    def __init__(self, host: str, message: Text = "", *, hint: Text | None = None) -> None:
        self.params = {"host": host}
        super().__init__(message, hint=hint)


class RemoteProblem(Conflict):
    """Trying again changes nothing. `params` are those of the sentence."""

    code = "remote_odd"

    def __init__(self, code: str, **params: Any) -> None:
        self.params = params
        super().__init__(str(WORDS[code]) % params, code=code, hint=HINTS.get(code, ""))


WORDS: dict[str, Text] = {
    "remote_refused": _("%(host)s does not let us: the user or password is wrong, or lacks the right to it."),
    "remote_odd": _("%(host)s does not answer as a registry does."),
    "remote_status": _("%(host)s answers with status %(status)s, which is not what was asked for."),
    "remote_list": _("The list of names at %(host)s has no end, or leads in circles."),
    "remote_realm": _("%(host)s does not say where to sign in, or not at an address that can be trusted."),
    "remote_signs_in_elsewhere": _("%(host)s sends us to %(realm)s to sign in, which it was not said to do."),
    "remote_not_allowed": _("%(host)s sends us to a place that may not be reached from here."),
    "copy_not_there": _("%(image)s is not there."),
    "copy_digest_wrong": _(
        "%(host)s gave something else than it was asked for: the content is not that of %(digest)s."
    ),
    "copy_too_large": _("%(image)s is made of more than what is copied."),
    "copy_unreachable": _("%(host)s did not answer %(times)s times in a row."),
    "copy_conflict": _("%(image)s means another image at the other end, and the rule says to change nothing."),
    "copy_same_age": _("%(image)s means another image at the other end, built at the same time or at none."),
    "copy_registry_gone": _("The registry it was to be copied from or to was removed from the project."),
    "copy_same": _("It is the same at both ends."),
    "copy_newer_there": _("What is at the other end was built later."),
    "copy_keeps": _("The other end's image stays, as the rule says."),
    "copy_other_labels": _("The image does not have the labels of the rule."),
}
HINTS: dict[str, Text] = {
    "remote_refused": _("Give the registry the right user and password in the project's settings."),
    "remote_signs_in_elsewhere": _("If that is right, write it into “Signs in at” and give the password again."),
    "remote_not_allowed": _("An operator can allow more addresses."),
    "copy_not_there": _("Check the name and the tag."),
    "copy_unreachable": _("Try again later: what is there already is not copied again."),
    "copy_conflict": _("Delete one of the two, or choose in the rule which of them wins."),
    "copy_same_age": _("Delete one of the two, or choose in the rule which of them wins."),
}


def said(reason: dict[str, Any] | None) -> str:
    """A stored `{code, params}` in the reader's language; empty for none."""
    words = WORDS.get(str((reason or {}).get("code", "")))
    return str(words) % dict((reason or {}).get("params") or {}) if words else ""


def reason_of(error: PortalError) -> dict[str, Any]:
    return {"code": error.code, "params": getattr(error, "params", {})}
