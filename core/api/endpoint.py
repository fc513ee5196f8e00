"""One declaration says what an endpoint takes and answers: it is checked by it and described by it."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.access import Actor, check_unchanged
from core.api.formats import Json, StrictJson, as_json
from core.api.inputs import Input, Query, read_query
from core.api.paging import Slip
from core.api.problem_types import Problem
from core.api.schema import Described, query_parameters
from core.api.versions import etag, expected_version

PROBLEM_JSON = "application/problem+json"
FILE, TEXT = OpenApiTypes.BINARY, OpenApiTypes.STR
ALWAYS = (400, 401, 403, 404, 406, 503)
OF_CHANGES = (409, 413, 415, 422)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag this change is made on top of."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and body again get the first answer again, for 24 hours.",
)
REQUEST_ID = OpenApiParameter("X-Request-ID", str, OpenApiParameter.HEADER, response=True)


@dataclass(frozen=True)
class Endpoint:
    query: type[Query]
    body: type[Input] | None


class View(APIView):
    """Base of all of the API. A method is declared by `@endpoint`; what it is sent is then in `query` and `sent`."""

    schema = Described()
    renderer_classes = (Json,)
    parser_classes = (StrictJson,)
    metadata_class = None
    query: dict[str, Any]
    sent: dict[str, Any]

    @property
    def actor(self) -> Actor:
        actor: Actor = self.request._request.actor  # type: ignore[attr-defined]  # set by authentication
        return actor

    @property
    def expected_version(self) -> int | None:
        return expected_version(self.request.headers.get("If-Match"))

    def check_unchanged(self, row: Any) -> None:
        """Raises Changed where If-Match names another version than the row has."""
        check_unchanged(row, self.expected_version)

    def slip(self, *order: str) -> Slip:
        """What `paging.page` wants to know of this request."""
        request = self.request
        return Slip(self.actor, request.path, request.query_params, order, self.query["limit"])

    def one(self, document: dict[str, Any], *, status: int = 200, location: str = "") -> Response:
        """One object with its ETag: the version where it has one, else a hash of what it says."""
        tag = etag(document["version"]) if "version" in document else f'W/"{_short_hash(document)}"'
        headers = {"ETag": tag} | ({"Location": location} if location else {})
        return Response(document, status=status, headers=headers)

    def answer(self, request: Request, act: Callable[[], Any]) -> Any:
        """Around every declared method, once its input is good."""
        return act()

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})


class AnyForm(BaseContentNegotiation):
    """Files and streams have their own type; only their refusals are JSON. So no Accept is turned away."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers))

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        return (first := next(iter(renderers))), first.media_type


class FileView(View):
    content_negotiation_class = AnyForm


def _short_hash(document: dict[str, Any]) -> str:
    return hashlib.sha256(as_json(document)).hexdigest()[:16]


Method = Callable[..., Any]


def endpoint(
    name: str,
    *,
    answers: Mapping[Any, Any],
    query: type[Query] | None = None,
    body: type[Input] | None = None,
    problems: Sequence[int] = (),
    versioned: bool = False,
    repeatable: bool = False,
    takes: str = "",
) -> Callable[[Method], Method]:
    """Declare a method of a `View`. `name` is its operation id; `problems` are statuses beyond the usual ones.

    `takes`: the type of a body that the view itself reads (core.api.inlet), instead of JSON.
    """

    def decorate(method: Method) -> Method:
        changes = method.__name__ not in {"get", "head"}
        declared = Endpoint(query or Query, body)

        @wraps(method)
        def run(self: View, request: Request, **names: Any) -> Any:
            self.query = read_query(request.query_params, declared.query)
            self.sent = _read_body(request, declared.body) if changes and not takes else {}
            return self.answer(request, lambda: method(self, request, **names))

        run.endpoint = declared  # type: ignore[attr-defined]  # for the rule tests
        headers = ([IF_MATCH] if versioned else []) + ([IDEMPOTENCY_KEY] if repeatable else [])
        statuses = {*ALWAYS, *problems, *(OF_CHANGES if changes else ()), *((412,) if versioned else ())}
        return extend_schema(
            operation_id=name,
            parameters=[*query_parameters(declared.query), *headers, REQUEST_ID],
            request={takes: OpenApiTypes.BINARY} if takes else body if changes else None,
            responses=_described(answers) | {(status, PROBLEM_JSON): Problem for status in sorted(statuses)},
        )(run)

    return decorate


def _described(answers: Mapping[Any, Any]) -> dict[Any, Any]:
    return {
        status: OpenApiResponse(description="Done.") if shape is None else shape for status, shape in answers.items()
    }


def _read_body(request: Request, kind: type[Input] | None) -> dict[str, Any]:
    sent: serializers.Serializer[Any] = (kind or Input)(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)
