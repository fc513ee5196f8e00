"""The portal as an ASGI application: pages and API, sockets, and in one process also worker, beat and observer."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

pages = get_asgi_application()  # sets Django up: what is imported below needs it

from portal.embedded import Lifespan  # noqa: E402
from portal.patience import Bodies  # noqa: E402
from portal.routing import sockets  # noqa: E402

application = Lifespan(ProtocolTypeRouter({"http": Bodies(pages), "websocket": sockets}))
