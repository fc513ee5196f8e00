"""Consoles over HTTP."""

from rest_framework import serializers

from console.models import ConsoleSession
from console.services import LONGEST_REASON, SHELLS
from core.api.inputs import Input


class ConsoleInput(Input):
    instance = serializers.UUIDField(help_text="One of the instances of this very place that runs.")
    shell = serializers.ChoiceField(choices=SHELLS, default=SHELLS[0])
    reason = serializers.CharField(
        max_length=LONGEST_REASON, required=False, allow_blank=True, default="",
        help_text="Why; needed in protected environments, kept in the audit.",
    )  # fmt: skip


class TicketOutput(serializers.Serializer[ConsoleSession]):
    """Open a socket at `url` within `expires_seconds` and send {"ticket": ...} as its first text frame."""

    id = serializers.UUIDField()
    ticket = serializers.CharField(help_text="Works once, for the same person and session or token.")
    url = serializers.CharField(help_text="Path of the socket.")
    expires_seconds = serializers.IntegerField()


class ConsoleOutput(serializers.Serializer[ConsoleSession]):
    id = serializers.UUIDField()
    instance = serializers.UUIDField()  # type: ignore[assignment]  # as the API calls it; the metaclass takes it away
    service = serializers.CharField()
    number = serializers.IntegerField()
    shell = serializers.CharField()
    reason = serializers.CharField()
    person = serializers.CharField()
    state = serializers.CharField(help_text=", ".join(ConsoleSession.State.values))
    opened_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(help_text="Why it ended; empty while it is open.")
    exit_code = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
