"""`manage.py cluster_rights | kubectl apply -f -`: what Berth needs to be allowed on a cluster."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backends.connecting import rights


class Command(BaseCommand):
    help = "Print an account for Berth and its role, for whoever administers the cluster to apply."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--without-usage", action="store_true", help="leave out the right to ask hosts for usage")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(rights(usage=not options["without_usage"]), indent=2))
