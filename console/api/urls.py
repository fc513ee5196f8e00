from django.urls import path

import core.api.addresses  # noqa: F401  registers the kinds of path parts
from console.api import consoles

E = "tenants/<label:tenant>/projects/<label:project>/apps/<label:app>/environments/<label:environment>"

urlpatterns = [
    path(f"{E}/consoles", consoles.Consoles.as_view(), name="api_consoles"),
    path(f"{E}/consoles/<uuid:console>", consoles.OneConsole.as_view(), name="api_console"),
    path(f"{E}/consoles/<uuid:console>/tickets", consoles.Tickets.as_view(), name="api_console_tickets"),
]
