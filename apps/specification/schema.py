"""The JSON Schema of what may be written, for editors: GET /api/v1/schemas/app."""

from functools import cache

from apps.specification.model import Specification

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def app_schema() -> dict[str, object]:
    """Short and long forms; keys that are understood on import only are not in it."""
    found = Specification.model_json_schema(by_alias=True, mode="validation")
    properties = found["properties"] | {"version": {"type": "string"}, "name": {"type": "string"}}
    for key in ("volumes", "secrets"):
        entry = properties[key]["additionalProperties"]
        properties[key] = properties[key] | {"additionalProperties": {"anyOf": [entry, {"type": "null"}]}}
    return {"$schema": DIALECT, "title": "Application specification"} | found | {"properties": properties}
