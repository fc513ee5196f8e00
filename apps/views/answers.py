"""A page, or only the part of it that keeps itself new."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def shown(request: HttpRequest, name: str, context: dict[str, Any], *, part: str) -> HttpResponse:
    """`apps/<name>.html`; to a live part of that page only `apps/<part>.html`, which the page includes."""
    wanted = part if request.headers.get("HX-Request") == "true" else name
    response = render(request, f"apps/{wanted}.html", context)
    response.headers.setdefault("Vary", "HX-Request")
    return response
