"""Shapes of operations over HTTP."""

from typing import Any

from rest_framework import serializers

from core.api.inputs import Listing
from operations.models import Operation, OperationEvent


class Told(serializers.Serializer[None]):
    """A code and what it says in the reader's language."""

    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class OperationOutput(serializers.Serializer[Operation]):
    """One user action that takes time. `failure` says why it is being undone, or why it failed."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.CharField(help_text=", ".join(Operation.State.values))
    active = serializers.BooleanField()
    step = serializers.CharField()
    target_name = serializers.CharField()
    tenant_id = serializers.UUIDField(allow_null=True)
    project_id = serializers.UUIDField(allow_null=True)
    release = serializers.IntegerField(allow_null=True)
    requested_by = serializers.UUIDField(allow_null=True)
    requested_by_name = serializers.CharField()
    request_id = serializers.CharField()
    cancel_requested = serializers.BooleanField()
    failure = Told(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField()


class OperationEventOutput(serializers.Serializer[OperationEvent]):
    seq = serializers.IntegerField()
    happened_at = serializers.DateTimeField()
    step = serializers.CharField()
    level = serializers.CharField(help_text=", ".join(OperationEvent.Level.values))
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class OperationQuery(Listing):
    state = serializers.ChoiceField(choices=[*Operation.State.values, "active"], required=False)
    kind = serializers.CharField(max_length=40, required=False, help_text="For example `app.deploy.run`.")
    tenant_id = serializers.UUIDField(required=False)
    project_id = serializers.UUIDField(required=False)


class EventQuery(Listing):
    after = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, help_text="Only events with a greater `seq`."
    )


class Finding(serializers.Serializer[None]):
    level = serializers.CharField(help_text="ok, warn or bad")
    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField()
    hint = serializers.CharField()
    mend = serializers.DictField()
    link = serializers.CharField(allow_blank=True, help_text="The page that helps where no value mends it.")


class RehearsalOutput(serializers.Serializer[None]):
    """Answer to `dry_run`: nothing was changed. `ready`: the same request without `dry_run` would be accepted."""

    dry_run = serializers.BooleanField()
    ready = serializers.BooleanField()
    findings = Finding(many=True)


STARTED: dict[int, Any] = {202: OperationOutput, 200: RehearsalOutput}
