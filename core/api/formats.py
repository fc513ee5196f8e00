"""JSON in and out: strict when read, quick when written."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from core.errors import BadRequest

WRITTEN = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def as_json(value: Any) -> bytes:
    """UUIDs as text, times as RFC 3339 in UTC, lazy words in the reader's language."""
    return orjson.dumps(value, default=_plain, option=WRITTEN)


def _plain(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class StrictJson(BaseParser):
    """UTF-8 JSON of limited depth; no NaN, no lone surrogates. A body over the portal's limit is a 413."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        # `body` instead of the stream, because Django holds it to DATA_UPLOAD_MAX_MEMORY_SIZE
        body: bytes = (parser_context or {})["request"]._request.body
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            message = _("The body is not JSON: line %(line)s, column %(column)s.")
            raise BadRequest(
                message % {"line": error.lineno, "column": error.colno},
                code="not_json",
                hint=_("Send one JSON object."),
            ) from None


class Json(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else as_json(data)
