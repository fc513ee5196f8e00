"""Open a console, come back to it, see which are open, end one. The terminal itself is a socket."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.models import AppEnvironment
from apps.needs import needs_console
from apps.selectors import listing
from console import selectors, services, tickets
from console.api.shapes import ConsoleInput, ConsoleOutput, TicketOutput
from console.services import Opened
from core.access import check_any
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing
from core.api.paging import page
from core.api.schema import page_of
from tenants.models import Token


class ConsoleView(View):
    """What all of them share: the place, and by what the sender is signed in."""

    def place(self, names: dict[str, str]) -> AppEnvironment:
        return listing.place(self.actor, names)

    @property
    def binding(self) -> tickets.Binding:
        auth = self.request.auth
        return tickets.binding_of(self.actor, auth if isinstance(auth, Token) else None)

    def ticket(self, opened: Opened, *, location: str) -> Response:
        document: dict[str, Any] = {
            "id": str(opened.console.pk),
            "ticket": opened.ticket,
            "url": f"/ws/v1/consoles/{opened.console.pk}",
            "expires_seconds": tickets.VALID_SECONDS,
        }
        return self.one(document, status=201, location=location)


class Consoles(ConsoleView):
    @endpoint("list_consoles", query=Listing, answers={200: page_of(ConsoleOutput)})
    def get(self, request: Request, **names: str) -> Response:
        """The consoles that are open in an app's instances, and who has them."""
        place = self.place(names)
        check_any(self.actor, needs_console(place), place)
        rows = selectors.consoles(self.actor, place)
        return Response(page(self.slip("-created_at", "-id"), rows, show=selectors.shown_all))

    @endpoint("open_console", body=ConsoleInput, answers={201: TicketOutput}, problems=(429,))
    def post(self, request: Request, **names: str) -> Response:
        """Ask for a console in an instance. The answer's ticket opens its socket once, within 30 seconds."""
        place = self.place(names)
        opened = services.open_console(self.actor, place, binding=self.binding, **self.sent)
        return self.ticket(opened, location=f"{request.path}/{opened.console.pk}")


class OneConsole(ConsoleView):
    @endpoint("show_console", answers={200: ConsoleOutput})
    def get(self, request: Request, console: uuid.UUID, **names: str) -> Response:
        """One console, also how it ended."""
        place = self.place(names)
        check_any(self.actor, needs_console(place), place)
        return self.one(selectors.console(self.actor, place, console))

    @endpoint("end_console", answers={204: None})
    def delete(self, request: Request, console: uuid.UUID, **names: str) -> Response:
        """End a console and everything that runs in it."""
        services.end_console(self.actor, self.place(names), console=console)
        return Response(status=204)


class Tickets(ConsoleView):
    @endpoint("return_to_console", answers={201: TicketOutput})
    def post(self, request: Request, console: uuid.UUID, **names: str) -> Response:
        """A new ticket for a console of one's own, after a reload or a broken connection."""
        opened = services.return_to(self.actor, self.place(names), console=console, binding=self.binding)
        return self.ticket(opened, location=request.path.removesuffix("/tickets"))
