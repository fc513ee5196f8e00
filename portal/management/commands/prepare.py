"""`manage.py prepare`: from an empty database to one that a first person can use. Doing it again changes nothing."""

import json
import secrets
from collections.abc import Mapping
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backends.models import Cluster
from portal import cast, seed, static_files


class Command(BaseCommand):
    help = "Migrate, collect static files, make the first account, tenant, project, environments and cluster."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--engine-url", default="", help="where the engine answers; empty: there is none")
        parser.add_argument("--engine-address", default="", help="where ports that instances publish are reachable")
        parser.add_argument("--engine-note", default="", help="why there is no engine and how to get one")
        parser.add_argument("--engine-builds", action="store_true", help="images may be built on this engine")
        parser.add_argument("--cast", action="store_true", help="also accounts named by their roles, to try them")
        parser.add_argument("--samples", nargs="*", default=[], metavar="IMAGE", help="images on hosts to offer")
        parser.add_argument(
            "--facts", type=json.loads, default={}, help="what these images say of themselves: {image: facts}, as JSON"
        )
        parser.add_argument(
            "--attach", nargs=2, default=(), metavar=("NAME", "KUBECONFIG"), help="make this cluster known as well"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEBUG:
            static_files.collect()
        password = secrets.token_urlsafe(12)
        made = seed.first_account(password, operates=not options["cast"])
        answer: dict[str, Any] = {"owner": seed.OWNER, "password": password if made else None, "address_path": "/"}
        answer["cast"] = cast.accounts() if options["cast"] else {}
        try:
            attached, answer["attached"] = _attached(*options["attach"]) if options["attach"] else (None, "")
        except CommandError as error:  # told in the answer, for the passwords in it are told only once
            answer["refused"] = str(error)
        else:
            _contents(attached, options)
        self.stdout.write(json.dumps(answer))


def _attached(name: str, kubeconfig: str) -> tuple[Cluster, str]:
    """The cluster of this name, and what is to be said of it."""
    said = StringIO()
    words = ["--kubeconfig", kubeconfig, "--allow-loopback", "--everyone", "--once"]
    call_command("add_cluster", name, *words, stdout=said)
    return Cluster.objects.get(name=name), said.getvalue().strip()


def _contents(attached: Cluster | None, options: Mapping[str, Any]) -> None:
    """What one finds after the first sign-in."""
    local = seed.cluster(
        address=options["engine_url"], reachable_at=options["engine_address"], note=options["engine_note"]
    )
    if local is not None and options["engine_builds"]:
        seed.builder(local)
    home = seed.home(local, attached)
    seed.demo(home)
    if options["cast"]:
        cast.places(home)
    for one in (local, attached):
        if one is not None and one.address:
            seed.offer(one, options["samples"], facts=options["facts"])
