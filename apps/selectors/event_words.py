"""What an event of a place says: one sentence, what to do about it, and how bad it is."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import PlaceEvent
from apps.selectors.reasons import Told, failure_sentence
from backends.contract import ReasonCode
from core.status import Kind
from core.wording import moment_text

Code = PlaceEvent.Code
_KINDS: dict[str, Kind | None] = {
    Code.STARTED: Kind.OK,
    Code.ENDED: None,
    Code.CRASHED: Kind.BAD,
    Code.UNHEALTHY: Kind.BAD,
    Code.NOT_STARTING: Kind.BAD,
    Code.WAITING: Kind.WARN,
    Code.HOST_LOST: Kind.WARN,
}


def kind_of(event: PlaceEvent) -> Kind | None:
    """None: it is only news."""
    return _KINDS.get(event.code)


def level_of(event: PlaceEvent) -> str:
    """As operations call it: info, ok, warn or bad."""
    kind = kind_of(event)
    return kind.value if kind else "info"


def told(event: PlaceEvent) -> Told:
    """Sentence and hint in the language of the reader."""
    words = {
        "service": event.service,
        "name": f"{event.service} {event.number}" if event.number else event.service,
        "host": event.host,
        "code": event.exit_code,
        "count": event.count,
        "since": moment_text(event.first_at, style="minute"),
    }
    hint = failure_sentence(event.reason).hint
    if event.code == Code.STARTED:
        return Told(_started(event) % words)
    if event.code == Code.ENDED:
        return Told(_ended(event) % words)
    if event.code == Code.CRASHED:
        return Told(_crashed(event) % words, hint)
    if event.code == Code.UNHEALTHY:
        return Told(_unhealthy(event) % words, hint)
    return Told(_of_reason(event, words), hint)


def _started(event: PlaceEvent) -> str:
    if event.count > 1:
        return ngettext(
            "%(count)s instance of %(service)s runs.", "%(count)s instances of %(service)s run.", event.count
        )
    return _("%(name)s runs on %(host)s.") if event.host else _("%(name)s runs.")


def _ended(event: PlaceEvent) -> str:
    if event.count > 1:
        return ngettext(
            "%(count)s instance of %(service)s was ended.",
            "%(count)s instances of %(service)s were ended.",
            event.count,
        )
    return _("%(name)s was ended.")


def _crashed(event: PlaceEvent) -> str:
    memory = (event.reason or {}).get("code") == ReasonCode.OUT_OF_MEMORY
    if memory and event.count > 1:
        return _("%(name)s used more memory than it may and was ended %(count)s times since %(since)s.")
    if memory:
        return _("%(name)s used more memory than it may and was ended.")
    if event.count > 1:
        return _("%(name)s ended by itself %(count)s times since %(since)s, last with exit code %(code)s.")
    return _("%(name)s ended by itself with exit code %(code)s.")


def _unhealthy(event: PlaceEvent) -> str:
    if event.count > 1:
        return _("%(name)s was replaced %(count)s times since %(since)s: its health check failed.")
    return _("%(name)s was replaced: its health check failed.")


def _of_reason(event: PlaceEvent, words: Mapping[str, object]) -> str:
    sentence = failure_sentence(event.reason).sentence or _("%(name)s did not start.") % words
    if event.count < 2:
        return sentence
    return _("%(sentence)s Tried %(count)s times since %(since)s.") % {**words, "sentence": sentence}
