"""What may be sent. A field or a parameter nobody knows is refused, never ignored."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from core.errors import BadRequest, FieldProblem

LONGEST_SEARCH = 100
MOST_TOLD = 20  # unknown fields that are named; an answer is not to be larger than what was sent
MOST_ROWS = 200
ROWS = 50


class Input(serializers.Serializer[Any]):
    """A body: everything wrong with it is told at once, unknown fields included."""

    def to_internal_value(self, data: Any) -> Any:
        known = set(self.fields)
        unknown = sorted(str(name) for name in data if name not in known) if isinstance(data, Mapping) else []
        errors: dict[str, Any] = {
            name[:100]: [ErrorDetail(_("There is no such field."), "unknown_field")] for name in unknown[:MOST_TOLD]
        }
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            details = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
            raise ValidationError({**details, **errors}) from None
        if errors:
            raise ValidationError(errors)
        return value


class WholeNumber(serializers.IntegerField):
    """A JSON number without a fraction; digits in a text are a text."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Query(Input):
    """The parameters after the question mark."""


class Change(Query):
    """Parameters of changes that take time."""

    dry_run = serializers.BooleanField(
        default=False, help_text="Check permission, values and preflight, change nothing, and answer with the findings."
    )


class Listing(Query):
    """Parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=ROWS, help_text="Rows of one page.")
    cursor = serializers.CharField(max_length=2000, required=False, help_text="As given in `next` or `previous`.")


class Searchable(Listing):
    search = serializers.CharField(
        max_length=LONGEST_SEARCH, required=False, allow_blank=True, help_text="Found anywhere in name or title."
    )


def read_query(given: QueryDict, kind: type[Query]) -> dict[str, Any]:
    """The parameters, checked and with their defaults. Raises BadRequest that names each wrong one."""
    plain = {name: given.get(name) for name in given}
    problems = [
        FieldProblem(name[:100], "twice", _("This parameter is given more than once."))
        for name in given
        if len(given.getlist(name)) > 1
    ]
    query = kind(data=plain)
    if not query.is_valid():
        problems += [_problem(name, details) for name, details in query.errors.items()]
    if problems:
        hint = _("Known here: %(names)s.") % {"names": ", ".join(sorted(query.fields)) or "-"}
        raise BadRequest(_("A parameter is wrong."), code="bad_parameter", hint=hint, errors=problems)
    return dict(query.validated_data)


def _problem(name: str, details: Any) -> FieldProblem:
    first = details[0] if isinstance(details, list) and details else details
    code = str(getattr(first, "code", "invalid"))
    if code == "unknown_field":
        return FieldProblem(name, "unknown_parameter", _("There is no such parameter."))
    return FieldProblem(name, code, str(first))
