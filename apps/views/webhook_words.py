"""Webhooks and their messages in words."""

import json
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.status import Status
from images.hooks.messages import PING
from images.hooks.models import Webhook, WebhookDelivery
from images.hooks.selectors import problem_words

EVENTS: list[tuple[str, Promise]] = [
    ("pushed", gettext_lazy("an image was pushed, or a tag moved")),
    ("deleted", gettext_lazy("an image was deleted")),
    ("scanned", gettext_lazy("the scan of an image ended")),
    ("promoted", gettext_lazy("an image was approved for a stage")),
    ("suspended", gettext_lazy("the approval of an image was suspended")),
]
SHORT = {
    "pushed": gettext_lazy("pushed"),
    "deleted": gettext_lazy("deleted"),
    "scanned": gettext_lazy("scanned"),
    "promoted": gettext_lazy("approved"),
    "suspended": gettext_lazy("suspended"),
    PING: gettext_lazy("test"),
}
OF_HOOK = {
    Webhook.State.ACTIVE: Status.ACTIVE,
    Webhook.State.PAUSED: Status.PAUSED,
    Webhook.State.FAILING: Status.NEEDS_ATTENTION,
    Webhook.State.GONE: Status.ENDED,
}
OF_MESSAGE = {
    WebhookDelivery.State.WAITING: Status.WAITING,
    WebhookDelivery.State.DELIVERED: Status.SUCCEEDED,
    WebhookDelivery.State.FAILED: Status.FAILED,
}


class HookState:
    """`status` and its words; `warns`: it is on, but what is sent does not arrive."""

    def __init__(self, row: Webhook) -> None:
        self.status = OF_HOOK[Webhook.State(row.state)]
        self.words = row.get_state_display()
        self.events = [SHORT[one] for one in row.events]
        self.warns = row.state == Webhook.State.ACTIVE and row.failing_since is not None
        self.active = row.state == Webhook.State.ACTIVE


def shown_state(row: Webhook) -> HookState:
    return HookState(row)


class DeliveryLine:
    """One message as a line of the list."""

    def __init__(self, row: WebhookDelivery) -> None:
        self.row = row
        self.event = SHORT.get(row.event, row.event)
        self.status = OF_MESSAGE[WebhookDelivery.State(row.state)]
        self.words = row.get_state_display()
        self.problem = problem_words(row.problem, row.status)
        self.waits = row.state == WebhookDelivery.State.WAITING

    @property
    def body(self) -> str:
        """What is sent, with a line for each thing that it says."""
        return json.dumps(json.loads(self.row.body), indent=2, ensure_ascii=False) if self.row.body else ""

    @property
    def answered(self) -> str:
        return _("answered %(status)s") % {"status": self.row.status} if self.row.status else ""


class TryLine:
    def __init__(self, tried: dict[str, Any]) -> None:
        self.at: datetime | None = parse_datetime(str(tried.get("at", "")))
        self.status = tried.get("status")
        self.ms = tried.get("ms")
        self.problem = problem_words(str(tried.get("problem", "")), tried.get("status"))
