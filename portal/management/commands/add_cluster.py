"""`manage.py add_cluster NAME --kubeconfig FILE`: make a cluster known from the command line."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.clusters import register_cluster
from backends import words
from backends.connecting import from_credentials
from backends.contract import DriverError
from backends.models import Cluster
from backends.registry import driver_for
from core.errors import PortalError
from portal.seed import offer, operator_actor


class Command(BaseCommand):
    help = "Make a cluster known; it is asked for its version first, and watched from then on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="how Berth is to call it")
        parser.add_argument(
            "--kubeconfig", type=argparse.FileType(), required=True, help="a file that holds all it needs"
        )
        parser.add_argument("--context", default="", help="which of the file's contexts; else its current one")
        parser.add_argument("--samples", nargs="*", default=[], metavar="IMAGE", help="images on its hosts to offer")
        parser.add_argument("--once", action="store_true", help="do nothing where a cluster of this name is known")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"] and Cluster.objects.filter(name=options["name"]).exists():
            self.stdout.write(f"{options['name']} is known")
            return
        try:
            kind, columns = from_credentials(options["kubeconfig"].read(), context=options["context"])
        except DriverError as error:
            raise CommandError(words.sentence(error.reason)) from error
        health = driver_for(Cluster(name=options["name"], kind=kind, **columns)).health()
        if health.reason is not None:
            raise CommandError(words.sentence(health.reason))
        try:
            made = register_cluster(operator_actor(), None, name=options["name"], kind=kind, **columns)
        except PortalError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error
        if options["samples"]:
            offer(made, options["samples"])
        self.stdout.write(f"{made.name}: {health.hosts_ready} of {health.hosts} hosts ready, version {health.version}")
