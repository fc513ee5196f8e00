"""`manage.py add_cluster NAME --kubeconfig FILE | --docker URL [--tls DIR]`: connect a cluster by typing."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.clusters.checking import told
from apps.clusters.connecting import Asked, connect
from backends.models import Cluster
from core.errors import PortalError
from core.secrets import Secret
from portal.seed import offer, operator_actor

TLS_FILES = {"authority": "ca.pem", "client_certificate": "cert.pem", "client_key": "key.pem"}


class Command(BaseCommand):
    help = "Connect a cluster; it is checked first, and watched from then on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="how Berth is to call it")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--kubeconfig", type=argparse.FileType(), help="a file that holds all it needs")
        which.add_argument(
            "--docker", metavar="URL", help="the engine of a managing host: tcp://host:2376, unix:///..."
        )
        parser.add_argument("--tls", metavar="DIR", type=Path, help="a folder with ca.pem, cert.pem and key.pem")
        parser.add_argument("--reachable-at", default="", metavar="ADDRESS", help="where published ports answer")
        parser.add_argument("--context", default="", help="which of the file's contexts; else its current one")
        parser.add_argument("--allow-loopback", action="store_true", help="it runs on Berth's own machine")
        parser.add_argument("--everyone", action="store_true", help="offer it to every tenant")
        parser.add_argument("--samples", nargs="*", default=[], metavar="IMAGE", help="images on its hosts to offer")
        parser.add_argument("--once", action="store_true", help="do nothing where a cluster of this name is known")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if options["once"] and Cluster.objects.filter(name=name).exists():
            self.stdout.write(f"{name} is known")
            return
        named = {"name": name, "everyone": options["everyone"], "reachable_at": options["reachable_at"]}
        try:
            made, found = connect(operator_actor(), _asked(options), **named)
        except PortalError as error:
            raise CommandError(_words(error)) from error
        if options["samples"] and (missing := set(options["samples"]) - set(offer(made, options["samples"]))):
            self.stderr.write(f"No host holds {', '.join(sorted(missing))}, so it is not offered.")
        self.stdout.write(f"{made.name}: {found.hosts_ready} of {found.hosts} hosts ready, version {found.version}")
        for one in told(found):
            self.stdout.write(f"- {one.message} {one.hint}")


def _asked(options: dict[str, Any]) -> Asked:
    loopback = options["allow_loopback"]
    if file := options["kubeconfig"]:
        if options["tls"]:
            raise CommandError("--tls goes with --docker; a kubeconfig holds its own.")
        return Asked(credentials=file.read(), context=options["context"], loopback=loopback)
    parts: dict[str, Any] = {"address": options["docker"]}
    if options["tls"]:
        try:
            parts |= {column: (options["tls"] / file).read_text() for column, file in TLS_FILES.items()}
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['tls']} has to hold {', '.join(TLS_FILES.values())}: {error}") from error
        parts["client_key"] = Secret(parts["client_key"])
    return Asked(kind=Cluster.Kind.SWARM, parts=parts, loopback=loopback)


def _words(error: PortalError) -> str:
    """All that is wrong, each with its way out."""
    said = [(one.message, one.hint) for one in error.errors] or [(error.message, error.hint)]
    return " ".join(f"{message} {hint}".strip() for message, hint in said)
