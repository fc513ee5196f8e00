"""`manage.py serve`: pages, API and sockets; without Redis also worker, beat and observer, all in one process."""

import logging
import socket
import sys
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from portal import lean
from portal.patience import Patient

log = logging.getLogger(__name__)
STARTUP_FAILURE = 3


class Command(BaseCommand):
    help = "Serve the portal. Without REDIS_URL this one process is everything."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--also", default="", metavar="HOST", help="one more address to listen at")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.EMBEDDED:
            lean.share_one_heap()
        config = uvicorn.Config(
            "portal.asgi:application",
            host=options["host"],
            port=options["port"],
            http=Patient,
            ws="websockets-sansio",
            ws_max_size=65536,
            ws_per_message_deflate=False,  # it would hold 40 KB for each socket that waits
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who calls is who connects, unless a trusted proxy is named
            timeout_graceful_shutdown=5,
        )
        server = uvicorn.Server(config)
        server.run(sockets=_sockets(config, options["also"]))
        if not server.started:
            sys.exit(STARTUP_FAILURE)


def _sockets(config: uvicorn.Config, also: str) -> list[socket.socket] | None:
    """None: the one place that the configuration names."""
    if not also:
        return None
    first = config.bind_socket()
    try:
        return [first, socket.create_server((also, config.port))]
    except OSError as error:
        log.warning("nothing can listen at %s: %s", also, error.strerror)
        return [first]
