"""`manage.py import_vulnerabilities FILE.zip|FOLDER …`: advisories in the OSV format, brought by an operator."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.clock import database_now
from core.errors import PortalError
from images.scanning import selectors
from images.scanning.bringing import bring_advisories
from images.scanning.renewing import renew
from portal.seed import operator_actor


class Command(BaseCommand):
    help = "Import advisories: the all.zip of an ecosystem as osv.dev offers it, or a folder of such JSON files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, nargs="*", help="none: only say what is known, and how old it is")

    def handle(self, *args: Any, **options: Any) -> None:
        for source in options["source"]:
            try:
                done = bring_advisories(operator_actor(), source)
            except PortalError as error:
                raise CommandError(f"{error.message} {error.hint}".strip()) from error
            unread = f", {done.unreadable} could not be read" if done.unreadable else ""
            renewed = renew(operator_actor(), done.names)
            self.stdout.write(f"{source.name}: {done.new} new, {done.changed} changed, {done.same} the same{unread}")
            for scan in renewed:
                self.stdout.write(f"compared again: {scan.artifact} is {scan.rating}")
        now = database_now()
        for feed in selectors.feeds():
            age = f"newest of {(now - feed.newest).days} days ago" if feed.newest else "age not known"
            self.stdout.write(f"{feed.ecosystem}: {feed.advisories} advisories, {age}")
