"""What may be sent about apps."""

import dataclasses
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.log_levels import LEVELS
from apps.models import Environment
from apps.specification import Specification, SpecificationError, read_data, read_text
from core.api.inputs import Input, Listing, Query, Searchable, WholeNumber

LARGEST_NUMBER = 999_999_999


@extend_schema_field({"oneOf": [{"type": "object", "additionalProperties": True}, {"type": "string"}]})
class SpecificationField(serializers.Field[Specification, Any, Any, Any]):
    """The Compose subset as a JSON object, or as text in YAML or JSON. See /api/v1/schemas/app."""

    def to_internal_value(self, data: Any) -> Specification:
        try:
            return (read_text(data) if isinstance(data, str) else read_data(data)).specification
        except SpecificationError as error:
            raise SpecificationError([self._below(problem) for problem in error.errors]) from None

    def _below(self, problem: Any) -> Any:
        """With a path as the sender wrote it."""
        joint = "" if not problem.field or problem.field.startswith("[") else "."
        return dataclasses.replace(problem, field=f"{self.field_name}{joint}{problem.field}")

    def to_representation(self, value: Any) -> Any:
        return value


class LeftOut(serializers.ListField):
    """Paths of an imported file that somebody chose to do without."""

    def __init__(self, **more: Any) -> None:
        path = serializers.CharField(max_length=300, trim_whitespace=False)
        super().__init__(child=path, max_length=200, required=False, **more)


def label(**more: Any) -> serializers.CharField:
    return serializers.CharField(max_length=40, trim_whitespace=False, **more)


class AppQuery(Searchable):
    ordering = serializers.ChoiceField(choices=["name", "-name", "created_at", "-created_at"], default="name")


class AppInput(Input):
    """With `environment` and `spec` the new app is deployed there at once."""

    name = label(help_text="A DNS label, unique in the project, fixed for life.")
    title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    environment = label(required=False)
    spec = SpecificationField(required=False)
    left_out = LeftOut(help_text="What an import did without; it stands in the audit.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for one, other in (("environment", "spec"), ("spec", "environment")):
            if one in attrs and other not in attrs:
                raise serializers.ValidationError({other: _("It belongs to what else was sent.")}, code="required")
        return attrs


class AppChange(Input):
    title = serializers.CharField(max_length=100, allow_blank=True)


class DeploymentInput(Input):
    """Exactly one of `spec`, `release` and `image`."""

    environment = label()
    spec = SpecificationField(required=False)
    release = WholeNumber(min_value=1, max_value=LARGEST_NUMBER, required=False)
    image = serializers.CharField(max_length=512, required=False, help_text="What runs there, with this image instead.")
    service = label(required=False, help_text="With `image`: which service gets it; needed where there are several.")
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)
    left_out = LeftOut(help_text="What an import did without; it stands in the audit.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in ("spec", "release", "image") if name in attrs]
        if len(given) != 1:
            raise serializers.ValidationError(_("Send exactly one of spec, release and image."), code="exactly_one")
        if "service" in attrs and "image" not in attrs:
            raise serializers.ValidationError({"service": _("It only belongs to an image.")}, code="not_here")
        return attrs


class DeploymentQuery(Listing):
    environment = label(required=False)
    kind = serializers.CharField(max_length=8, required=False)


class ScaleInput(Input):
    service = label()
    instances = WholeNumber(min_value=0, max_value=LARGEST_NUMBER)


class RestartInput(Input):
    service = label(required=False, help_text="All services if left out.")


class RollbackInput(Input):
    release = WholeNumber(min_value=1, max_value=LARGEST_NUMBER)


class DiffQuery(Query):
    def get_fields(self) -> dict[str, Any]:
        number = serializers.IntegerField(
            min_value=1, max_value=LARGEST_NUMBER, help_text="Number of the other release."
        )
        return {**super().get_fields(), "with": number}


class InstanceQuery(Listing):
    service = label(required=False)
    wanted = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only those that are to run."
    )


class EnvironmentInput(Input):
    name = label(help_text="A DNS label, unique in the project, fixed for life.")
    stage = serializers.ChoiceField(choices=Environment.Stage.values)
    cluster = label(required=False, help_text="Default: the one the tenant's other environments are on.")
    protected = serializers.BooleanField(required=False, help_text="Default: whether it is of stage prod.")


class EnvironmentChange(Input):
    cluster = label(required=False, help_text="Only while nothing is deployed there.")
    protected = serializers.BooleanField(required=False)


class LogFilters(Query):
    service = label(required=False)
    number = serializers.IntegerField(
        min_value=0,
        max_value=LARGEST_NUMBER,
        required=False,
        help_text="Only instances of this number, ended ones too.",
    )
    instance = serializers.UUIDField(required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    tail = serializers.IntegerField(
        min_value=0, max_value=100_000, required=False, help_text="The newest lines of each instance."
    )
    search = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Only lines with this text, case aside.",
    )
    level = serializers.ChoiceField(
        choices=LEVELS,
        required=False,
        help_text="Only lines of this level and above; those that name none count as info.",
    )


class LogQueryInput(LogFilters):
    newest = serializers.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        help_text="Begin with the newest so many lines of all instances together. `until` then cuts these.",
    )
    follow = serializers.BooleanField(default=False, help_text="Go on with new lines until you hang up.")
    format = serializers.ChoiceField(
        choices=["text", "ndjson"], required=False, help_text="In place of Accept: text/plain or application/x-ndjson."
    )


class LogDownloadInput(LogFilters):
    format = serializers.ChoiceField(
        choices=["text", "zip"],
        required=False,
        help_text="One text in the order of time, or a file for each instance. Default: zip for several instances.",
    )
    timestamps = serializers.BooleanField(default=True, help_text="False: only what the app wrote, byte for byte.")


class LogSocketInput(LogQueryInput):
    """The same filters, and of what; its frames are always JSON lines."""

    tenant, project, app, environment = label(), label(), label(), label()
    format = None  # type: ignore[assignment]  # how a serializer leaves out a field of its parent
