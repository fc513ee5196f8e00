"""`manage.py create_token USER --name N [--expires 1h]`: prints the token and nothing else."""

import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.access import Actor
from core.errors import PortalError
from tenants.models import User
from tenants.rights import rights_of
from tenants.services import create_token
from tenants.tokens import DEFAULT_TOKEN_LIFE

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LIFETIME = re.compile(r"([1-9][0-9]{0,8})([smhd])\Z", re.ASCII)


class Command(BaseCommand):
    help = "Make an API token for a person and print it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--name", required=True, help="what the token is for; one name is used once a person")
        parser.add_argument("--expires", default="", metavar="30m", help="s, m, h or d; default 90d")
        parser.add_argument(
            "--scope", action="append", default=[], metavar="CODE", help="a permission; may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no person called {options['user']}.")
        actor = Actor(user.pk, user.get_username(), rights_of(user), client="manage.py create_token")
        lifetime = lifetime_of(options["expires"])
        try:
            _token, secret = create_token(actor, user, name=options["name"], scopes=options["scope"], lifetime=lifetime)
        except PortalError as error:
            raise CommandError(
                "\n".join([str(error.message), *(str(problem.message) for problem in error.errors)])
            ) from None
        self.stdout.write(secret.reveal())


def lifetime_of(text: str) -> timedelta:
    """ "90d" and the like; empty is the usual life of a token."""
    if not text:
        return DEFAULT_TOKEN_LIFE
    match = LIFETIME.match(text)
    if match is None:
        raise CommandError("--expires takes a number and s, m, h or d, for example 1h.")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
