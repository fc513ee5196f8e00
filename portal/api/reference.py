"""The API about itself: its description, pages to read it, the specification's schema, and the meaning of problems."""

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.specification import app_schema
from core.api.endpoint import FileView, View, endpoint
from core.api.problem_types import PROBLEM_TYPES
from core.errors import NotFound


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document; made once a process, since it takes a good part of a second."""
    with translation.override("en"):
        document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped library
    return document


class Schema(FileView):
    @extend_schema(exclude=True)
    @endpoint("schema", answers={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """The OpenAPI description of this API."""
        return Response(description(), content_type="application/vnd.oai.openapi+json")


@login_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The description as pages; everything it needs comes from here."""
    return render(request, "api/docs.html")


class AppSchema(View):
    @endpoint("app_schema", answers={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """JSON Schema of the application specification, for editors."""
        return self.one(app_schema())


class ProblemOutput(serializers.Serializer[None]):
    type = serializers.CharField()
    code = serializers.CharField()
    status = serializers.IntegerField()
    meaning = serializers.CharField()


class ProblemMeaning(View):
    @endpoint("show_problem", answers={200: ProblemOutput})
    def get(self, request: Request, code: str) -> Response:
        """What a problem code means."""
        if code not in PROBLEM_TYPES:
            raise NotFound()
        status, meaning = PROBLEM_TYPES[code]
        return self.one({"type": request.path, "code": code, "status": status, "meaning": meaning})
