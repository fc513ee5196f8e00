"""The operations by which images are copied, and the words of what happens in them."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from images.replication.problems import WORDS
from images.replication.starting import COPY, RUN
from operations.models import Operation
from operations.registry import Wait, register, register_words

if TYPE_CHECKING:
    from images.replication.working import CopyImage, Replicate

HOUR = 60 * 60


class Work:
    """What is done stands in working.py, with the libraries by which registries are asked: workers alone load them."""

    def __init__(self, kind: str, deadline_seconds: int) -> None:
        self._kind, self.deadline_seconds = kind, deadline_seconds

    def step(self, operation: Operation) -> Wait | None:
        return self._work.step(operation)

    def undo(self, operation: Operation) -> Wait | None:
        return self._work.undo(operation)

    def settled(self, operation: Operation) -> None:
        self._work.settled(operation)

    @property
    def _work(self) -> "CopyImage | Replicate":
        from images.replication.working import WORK

        return WORK[self._kind]


register(f"{COPY}.run", Work(COPY, 12 * HOUR))
register(f"{RUN}.run", Work(RUN, 24 * HOUR))

register_words(
    {
        **WORDS,
        "copy_begun": _("%(image)s is copied to %(path)s"),
        "copy_progress": _("%(done)s of %(whole)s MB, %(layers)s of %(count)s layers"),
        "replication_begun": _("The rule %(rule)s is followed with %(host)s"),
        "replication_progress": _("%(done)s of %(count)s images looked at"),
        "replication_incomplete": _(
            "Images that failed: %(failed)s; that were refused: %(refused)s. The log says why."
        ),
        "replication_too_much": _("More than %(most)s images fit this rule; the rest was not looked at."),
    }
)
