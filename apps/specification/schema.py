"""The JSON Schema of what may be written, for editors: GET /api/v1/schemas/app."""

from functools import cache
from typing import Any

from django.utils.translation import get_language, override

from apps.specification.meanings import EXAMPLES, MEANINGS
from apps.specification.model import Specification

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def app_schema() -> dict[str, object]:
    """Short and long forms, each key with its meaning in the reader's language.

    Keys that are understood on import only are not in it.
    """
    return _schema(get_language() or "en")


@cache
def _schema(language: str) -> dict[str, object]:
    found: dict[str, Any] = Specification.model_json_schema(by_alias=True, mode="validation")
    properties = found["properties"] | {"version": {"type": "string"}, "name": {"type": "string"}}
    for key in ("volumes", "secrets"):
        entry = properties[key]["additionalProperties"]
        properties[key] = properties[key] | {"additionalProperties": {"anyOf": [entry, {"type": "null"}]}}
    whole = {"$schema": DIALECT, "title": "Application specification"} | found | {"properties": properties}
    with override(language):
        _explain(whole)
    return whole


def _explain(whole: dict[str, Any]) -> None:
    for model, meanings in MEANINGS.items():
        properties = whole["$defs"][model]["properties"] if model else whole["properties"]
        for key, meaning in meanings.items():
            properties[key] = properties[key] | {"description": str(meaning)}
    for (model, key), examples in EXAMPLES.items():
        properties = whole["$defs"][model]["properties"]
        properties[key] = properties[key] | {"examples": list(examples)}
