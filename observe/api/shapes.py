"""What is asked of usage, and what is answered."""

from typing import Any

from rest_framework import serializers

from apps.api.inputs import label
from core.api.inputs import Query

LONGEST_STEP = 86400


class MetricsQuery(Query):
    """`from` and `to`: default the last hour. `step_seconds`: rounded up to what is kept and can be drawn."""

    def get_fields(self) -> dict[str, Any]:
        moments = {
            "from": serializers.DateTimeField(required=False, help_text="Default: an hour before `to`."),
            "to": serializers.DateTimeField(required=False, help_text="Default: now."),
        }
        return {**moments, **super().get_fields()}

    step_seconds = serializers.IntegerField(min_value=1, max_value=LONGEST_STEP, required=False)
    service = label(required=False)


def numbers(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.IntegerField(allow_null=True), help_text=help_text)


class SeriesOutput(serializers.Serializer[Any]):
    """One number for each step from `from` on; null: nothing is known of that step."""

    instance = serializers.UUIDField(allow_null=True, help_text="Null when it is remembered no more.")
    service = serializers.CharField()
    number = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    cpu_millicores = numbers("Average of the step.")
    cpu_peak_millicores = numbers("Highest ten seconds of the step.")
    memory_bytes = numbers("Highest of the step.")
    network_in_bytes_per_second = numbers("Average of the step.")
    network_out_bytes_per_second = numbers("Average of the step.")


class UsageLimitsOutput(serializers.Serializer[Any]):
    """Of one instance, by the release that is declared; null: no limit."""

    service = serializers.CharField()
    cpu_millicores = serializers.IntegerField(allow_null=True)
    memory_bytes = serializers.IntegerField(allow_null=True)


class MarkOutput(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["release", "change", "end"])
    service = serializers.CharField(allow_blank=True)
    text = serializers.CharField()


class LeftOutput(serializers.Serializer[Any]):
    """What is not here: see the limit of kept instances in the guide."""

    forgotten_series = serializers.IntegerField()
    instances_left_out = serializers.IntegerField()
    not_measured = serializers.ListField(child=serializers.CharField())
    more_series = serializers.IntegerField()


class MetricsOutput(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateTimeField(), "to": serializers.DateTimeField(), **super().get_fields()}

    step_seconds = serializers.IntegerField()
    series = SeriesOutput(many=True)
    limits = UsageLimitsOutput(many=True)
    marks = MarkOutput(many=True)
    last_at = serializers.DateTimeField(allow_null=True, help_text="Of the newest reading.")
    stale = serializers.BooleanField(help_text="The newest reading is not of now: the engine is away.")
    left_out = LeftOutput()
