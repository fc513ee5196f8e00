"""`manage.py registry_address`: HOST:PORT of the registry, as it stands before the names of images."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from images.registry import names


class Command(BaseCommand):
    help = "Print HOST:PORT of the registry that people push to."

    def handle(self, *args: Any, **options: Any) -> None:
        address = names.address()
        if not address:
            raise CommandError("There is no registry: set REGISTRY_URL, or let ./berth up run one.")
        self.stdout.write(address)
