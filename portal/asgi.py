"""The portal as an ASGI application: pages and API, sockets, and in one process also worker, beat and observer."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django

django.setup(set_prefix=False)  # what is imported below needs it

from channels.routing import ProtocolTypeRouter  # noqa: E402

from portal.embedded import Lifespan  # noqa: E402
from portal.pages import Pages  # noqa: E402
from portal.patience import Bodies  # noqa: E402
from portal.routing import sockets  # noqa: E402

pages = Pages()
application = Lifespan(ProtocolTypeRouter({"http": Bodies(pages), "websocket": sockets}))
