"""Pages and API behind ASGI: all middleware and the view of a request run in one go, in one thread."""

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Pages(ASGIHandler):
    """As Django's own, for middleware none of which is a coroutine.

    Django's own takes whatever lies behind the last middleware for one: for each request it starts a loop in one more
    thread, which hands the view back to the first one. That costs milliseconds; here only a view that really is a
    coroutine gets a loop.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
