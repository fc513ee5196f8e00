"""Shapes of the audit over HTTP."""

from rest_framework import serializers

from audit.models import AuditEntry
from core.api.inputs import Listing, Query


class AuditFilters(Query):
    actor = serializers.CharField(max_length=150, required=False, help_text="Id or name of who acted.")
    action = serializers.CharField(
        max_length=64, required=False, help_text="`app.deploy`, or `app` for all that begin so."
    )
    target = serializers.CharField(max_length=200, required=False, help_text="Id or name of what it was done to.")
    target_kind = serializers.CharField(max_length=40, required=False)
    result = serializers.ChoiceField(choices=AuditEntry.Result.values, required=False)
    since = serializers.DateTimeField(required=False, help_text="Included.")
    until = serializers.DateTimeField(required=False, help_text="Not included.")
    operation = serializers.UUIDField(required=False)
    request = serializers.CharField(max_length=64, required=False, help_text="An `X-Request-ID`.")


class AuditQuery(AuditFilters, Listing):
    pass


class PlatformAuditQuery(AuditQuery):
    tenant_id = serializers.UUIDField(required=False, help_text="Only entries of this tenant.")


class ExportQuery(AuditFilters):
    format = serializers.ChoiceField(choices=["csv", "jsonl"], default="csv")


class PlatformExportQuery(ExportQuery):
    tenant_id = serializers.UUIDField(required=False, help_text="Only entries of this tenant.")


class ChainQuery(Query):
    chain = serializers.RegexField(
        r"^(platform|tenant:[0-9a-f-]{36})\Z",
        default="platform",
        help_text="`platform`, or `tenant:` and a tenant's id.",
    )


class AuditEntryOutput(serializers.Serializer[AuditEntry]):
    """One immutable line. `hash` covers every other member and `previous_hash`, so that nothing changes unseen."""

    id = serializers.UUIDField()
    happened_at = serializers.DateTimeField()
    chain = serializers.CharField()
    seq = serializers.IntegerField()
    tenant_id = serializers.UUIDField(allow_null=True)
    project_id = serializers.UUIDField(allow_null=True)
    actor_id = serializers.UUIDField(allow_null=True)
    actor_name = serializers.CharField()
    actor_kind = serializers.CharField()
    action = serializers.CharField()
    target_kind = serializers.CharField()
    target_id = serializers.CharField()
    target_name = serializers.CharField()
    result = serializers.CharField(help_text=", ".join(AuditEntry.Result.values))
    detail = serializers.JSONField()
    before = serializers.JSONField()
    after = serializers.JSONField()
    address = serializers.CharField()
    client = serializers.CharField()
    request_id = serializers.CharField()
    operation_id = serializers.UUIDField(allow_null=True)
    previous_hash = serializers.CharField()
    hash = serializers.CharField()
    format_version = serializers.IntegerField()


class VerdictOutput(serializers.Serializer[None]):
    """`bad_seq`: the first entry that was changed or is missing; null where the whole chain holds."""

    chain = serializers.CharField()
    holds = serializers.BooleanField()
    entries = serializers.IntegerField()
    bad_seq = serializers.IntegerField(allow_null=True)
    fault = serializers.CharField(help_text="Empty, changed, missing or head.")
