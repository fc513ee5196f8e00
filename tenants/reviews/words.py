"""Lines of a review in words: whether a role is used, and what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.status import Status
from tenants.custom.resolving import codes_at, title_at
from tenants.models import ReviewLine

LONG = timedelta(days=60)
State = ReviewLine.State
STATES: dict[str, Status] = {
    State.OPEN: Status.WAITING,
    State.KEPT: Status.SUCCEEDED,
    State.ENDED: Status.ENDED,
    State.SILENT: Status.ENDED,
    State.LAST_OWNER: Status.NEEDS_ATTENTION,
    State.ELSEWHERE: Status.NEEDS_ATTENTION,
    State.OVER: Status.ENDED,
}


def only_looks(line: ReviewLine) -> bool:
    """Whether all that a role allows leaves no entry in the audit: then the last time the person was here counts."""
    return all(code.endswith((".view", ".pull")) for code in codes_at(line.tenant_id, line.role))


@dataclass(frozen=True)
class Shown:
    """A line as the page shows it. `asked_at`: when the review began, to which the times of use belong."""

    line: ReviewLine
    asked_at: datetime
    mine: bool = False
    may_end: bool = False
    chosen: bool = False

    @property
    def role(self) -> str:
        return title_at(self.line.tenant_id, self.line.role)

    @property
    def used_at(self) -> datetime | None:
        """The last command under the grant; of a role that only looks, when its holder was last here."""
        seen = self.line.seen_at if only_looks(self.line) else None
        return self.line.last_used_at or (seen if seen and seen >= self.line.since else None)

    @property
    def use(self) -> tuple[Status, str]:
        """Whether it is used, in words."""
        idle = (self.asked_at - (self.used_at or self.line.since)).days
        if self.used_at is None and not idle:
            return Status.WAITING, _("not used yet")
        if self.used_at is None:
            words = ngettext("never used in %(days)s day", "never used in %(days)s days", idle)
            return Status.NEEDS_ATTENTION, words % {"days": idle}
        if timedelta(days=idle) < LONG:
            return Status.ACTIVE, _("in use")
        return Status.NEEDS_ATTENTION, ngettext("not used in %(days)s day", "not used in %(days)s days", idle) % {
            "days": idle
        }

    @property
    def status(self) -> Status:
        return STATES.get(self.line.state, Status.UNKNOWN)

    @property
    def state_word(self) -> str:
        return str(State(self.line.state).label)

    @property
    def answered(self) -> bool:
        return self.line.state != State.OPEN
