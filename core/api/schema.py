"""How the API describes itself: what an endpoint declares, with what all of them share."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from core.api.inputs import Query

LABEL = {"type": "string", "pattern": "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", "maxLength": 40}
NUMBER = {"type": "integer", "minimum": 1, "maximum": 999999999}
PATH_PARTS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        ("operation", "instance", "token", "grant", "session", "rule"), {"type": "string", "format": "uuid"}
    ),
    "number": NUMBER,
    "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    "repository": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62}){0,4}$"},
    "code": {"type": "string", "pattern": "^[a-z_]{1,60}$"},
}
PAGES: dict[str, type[serializers.Serializer[Any]]] = {}


def page_of(row: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The shape of a page of such rows."""
    name = f"{row.__name__}Page"
    if name not in PAGES:
        fields = {
            "results": row(many=True),
            "next": serializers.CharField(allow_null=True),
            "previous": serializers.CharField(allow_null=True),
        }
        PAGES[name] = type(name, (serializers.Serializer,), fields)
    return PAGES[name]


class Described(AutoSchema):
    """Path parts by their names, the first sentence of a docstring as summary, the noun of the path as tag."""

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        return [
            {"in": "path", "name": name, "required": True, "schema": PATH_PARTS.get(name, LABEL)} for name in variables
        ]

    def get_summary(self) -> str | None:
        sentence = " ".join(self.get_description().split("\n\n")[0].split())
        return re.split(r"(?<=[.:;])\s", sentence)[0].rstrip(".:;") or None

    def get_tags(self) -> list[str]:
        words = [part for part in self.path.split("/") if part and "{" not in part][2:]
        return [next((word for word in reversed(words) if word in NOUNS), words[0] if words else "api")]


NOUNS = (
    "me", "sessions", "notices", "tokens", "tenants", "grants", "projects", "environments", "images", "apps",
    "releases", "deployments",
    "instances", "logs", "metrics", "events", "operations", "clusters", "audit", "schemas", "problems",
)  # fmt: skip


def query_parameters(query: type[Query] | None) -> list[Any]:
    return [query] if query is not None and query().fields else []
