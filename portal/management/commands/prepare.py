"""`manage.py prepare`: from an empty database to one that a first person can use. Doing it again changes nothing."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from portal import cast, seed, static_files


class Command(BaseCommand):
    help = "Migrate, collect static files, make the first account, tenant, project, environments and cluster."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--engine-url", default="", help="where the engine answers; empty: there is none")
        parser.add_argument("--engine-address", default="", help="where ports that instances publish are reachable")
        parser.add_argument("--engine-note", default="", help="why there is no engine and how to get one")
        parser.add_argument("--cast", action="store_true", help="also accounts named by their roles, to try them")
        parser.add_argument("--samples", nargs="*", default=[], metavar="IMAGE", help="images on the engine to offer")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEBUG:
            static_files.collect()
        password = secrets.token_urlsafe(12)
        made = seed.first_account(password, operates=not options["cast"])
        cluster = seed.cluster(
            address=options["engine_url"], reachable_at=options["engine_address"], note=options["engine_note"]
        )
        seed.demo(cluster)
        players = cast.cast(cluster) if options["cast"] else {}
        if cluster.address:
            seed.offer(cluster, options["samples"])
        answer = {"owner": seed.OWNER, "password": password if made else None, "address_path": "/", "cast": players}
        self.stdout.write(json.dumps(answer))
