"""Consoles: who has one open in which instance. What is typed and shown never comes here."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.access import Scope
from core.rows import Row


class ConsoleSession(Row):
    """One process in one instance for one person. The audit keeps what happened; ended rows go after 90 days."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "console.open"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for its page")
        OPEN = "open", _("open")
        ENDED = "ended", _("ended")

    LIVE = (State.WAITING, State.OPEN)

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT)
    project = models.ForeignKey("tenants.Project", models.PROTECT)
    place = models.ForeignKey("apps.AppEnvironment", models.CASCADE, related_name="consoles")
    instance_id = models.UUIDField()  # no foreign key: the instance's row goes when the instance is forgotten
    engine_id = models.CharField(max_length=100)
    service = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    shell = models.CharField(max_length=20)
    reason = models.CharField(max_length=200, blank=True)
    person_id = models.UUIDField()
    person_name = models.CharField(max_length=150)
    session_hash = models.CharField(max_length=64, blank=True)  # of the browser's session that opened it
    token_id = models.CharField(max_length=40, blank=True)  # or of the token
    address = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10, default="en")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    ticket_hash = models.CharField(max_length=64, blank=True)
    ticket_until = models.DateTimeField(null=True)
    end_asked = models.BooleanField(default=False)
    worker = models.CharField(max_length=100, blank=True)
    opened_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=20, blank=True)
    exit_code = models.IntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["place", "state"], name="console_place_state"),
            models.Index(fields=["state", "seen_at"], name="console_state_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.number}, {self.shell}"
