"""The one table of status words: what a page says, shows and colours for each state a thing can be in.

A key is what rows and the API carry; a word is what a person reads; a kind decides glyph and colour.
"""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(StrEnum):
    """How well a thing is; also the name of its glyph in static/img/marks.svg."""

    OK = "ok"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    STALE = "stale"
    WAIT = "wait"
    OFF = "off"

    @property
    def css(self) -> str:
        """Class of a state: what waits or is off is grey like what is stale, told apart by its glyph."""
        grey = self in (Kind.STALE, Kind.WAIT, Kind.OFF)
        return "is-stale" if grey else f"is-{self.value}"


class Status(StrEnum):
    """A state with its key (the value), its kind and its word in the reader's language."""

    kind: Kind
    word: Promise

    def __new__(cls, key: str, kind: Kind, word: Promise) -> "Status":
        member = str.__new__(cls, key)
        member._value_ = key
        member.kind = kind
        member.word = word
        return member

    # what runs: apps, services, instances
    RUNNING = "running", Kind.OK, _("running")
    STARTING = "starting", Kind.BUSY, _("starting")
    STOPPING = "stopping", Kind.BUSY, _("stopping")
    UPDATING = "updating", Kind.BUSY, _("updating")
    ROLLING_BACK = "rolling_back", Kind.BUSY, _("rolling back")
    WAITING = "waiting", Kind.WAIT, _("waiting")
    STOPPED = "stopped", Kind.OFF, _("stopped")
    ENDED = "ended", Kind.OFF, _("ended")
    PAUSED = "paused", Kind.OFF, _("paused")
    NOT_STARTING = "not_starting", Kind.BAD, _("not starting")
    CRASHING = "crashing", Kind.BAD, _("keeps crashing")
    UNHEALTHY = "unhealthy", Kind.BAD, _("does not pass its health check")
    RESTARTS = "restarts", Kind.WARN, _("running, crashed today")
    DEGRADED = "degraded", Kind.WARN, _("runs in part")
    DRIFTED = "drifted", Kind.WARN, _("differs from what was declared")
    MISSING = "missing", Kind.BAD, _("missing")
    EMPTY = "empty", Kind.OFF, _("nothing deployed")
    UNKNOWN = "unknown", Kind.STALE, _("unknown")

    # operations, their steps, deployments
    PENDING = "pending", Kind.WAIT, _("waiting to start")
    DOING = "doing", Kind.BUSY, _("being done")
    CANCELLING = "cancelling", Kind.BUSY, _("being cancelled")
    DONE = "done", Kind.OK, _("done")
    SUCCEEDED = "succeeded", Kind.OK, _("succeeded")
    FAILED = "failed", Kind.BAD, _("failed")
    CANCELLED = "cancelled", Kind.OFF, _("cancelled")
    SUPERSEDED = "superseded", Kind.OFF, _("overtaken by a later one")
    ROLLED_BACK = "rolled_back", Kind.WARN, _("rolled back")
    NEEDS_ATTENTION = "needs_attention", Kind.WARN, _("needs attention")

    # results of audit entries; "failed" and "done" are above
    ACCEPTED = "accepted", Kind.OK, _("accepted")
    REFUSED = "refused", Kind.BAD, _("refused")
    DENIED = "denied", Kind.BAD, _("denied")

    # preflight
    PASSED = "passed", Kind.OK, _("passed")
    RISKY = "risky", Kind.WARN, _("may go wrong")
    BLOCKED = "blocked", Kind.BAD, _("must be mended")

    # clusters, hosts
    READY = "ready", Kind.OK, _("ready")
    SILENT = "silent", Kind.STALE, _("does not answer")
    UNREACHABLE = "unreachable", Kind.BAD, _("cannot be reached")
    DRAINING = "draining", Kind.BUSY, _("being emptied")
    CORDONED = "cordoned", Kind.OFF, _("takes nothing new")

    # tenants, projects, people, grants
    ACTIVE = "active", Kind.OK, _("active")
    SUSPENDED = "suspended", Kind.WARN, _("suspended")
    ARCHIVED = "archived", Kind.OFF, _("archived")
    DELETED = "deleted", Kind.OFF, _("deleted")
    DISABLED = "disabled", Kind.OFF, _("disabled")
    EXPIRED = "expired", Kind.OFF, _("expired")
    ASKED = "asked", Kind.WAIT, _("asked for")

    @property
    def glyph(self) -> str:
        return self.kind.value

    @property
    def css(self) -> str:
        return self.kind.css

    @classmethod
    def of(cls, value: object) -> "Status":
        """The status of a member, a key or an enum with that value; UNKNOWN for any other, never an error:
        a page must come out also when a newer worker wrote a key this process does not know."""
        key = getattr(value, "value", value)
        return BY_KEY.get(str(key), cls.UNKNOWN)


BY_KEY = {one.value: one for one in Status}
