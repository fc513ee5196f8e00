"""Around every answer: an id, an error page for what is expected, and no copies in shared caches."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import add_never_cache_headers

from core.errors import PortalError
from core.rows import new_id
from portal.problems import as_no_space, for_page, not_allowed_page, refusal

Answer = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: Answer) -> Answer:
    """A fresh id for each request; it stands in the answer, the audit and every error page."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.request_id = new_id().hex  # type: ignore[attr-defined]  # ours
        response = get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]  # ours
        return response

    return answer


class problems:  # noqa: N801  named as the function-style middleware beside it
    """Turns an expected error of a page into its page. The API does the same in its exception handler."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_found: Any) -> HttpResponse | None:
        """What the server would not read (portal/patience.py) is answered like everything else."""
        refused = getattr(request, "scope", {}).get("refused")
        return for_page(request, refusal(refused)) if refused else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        expected = exception if isinstance(exception, PortalError) else as_no_space(exception)
        return for_page(request, expected) if expected else None


def private_answers(get_response: Answer) -> Answer:
    """What a tenant sees stays between them and us."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
            response["Cache-Control"] = "private, no-store"
        return response

    return answer


def wrong_methods(get_response: Answer) -> Answer:
    """An address asked in the wrong way says so in words. Innermost, so that its answer gets what every answer gets."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not request.path.startswith("/api/"):
            return not_allowed_page(request, response)
        return response

    return answer
