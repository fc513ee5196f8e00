"""`manage.py take_factors USER --reason R`: for when no operator can come in either."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.access import Actor, Rights
from core.errors import PortalError
from tenants.factors.services import reset_factors
from tenants.models import User

ACTOR = Actor(
    id=None, name="manage.py", kind="system", rights=Rights(platform=frozenset({"factor.reset"})),
    client="manage.py take_factors",
)  # fmt: skip


class Command(BaseCommand):
    help = "Take all second factors from a local person who lost them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--reason", required=True, help="how you know that it is they who ask; they read it")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True, robot=None).first()
        if user is None:
            raise CommandError(f"There is no person called {options['user']}.")
        try:
            count = reset_factors(ACTOR, None, user=user, reason=options["reason"])
        except PortalError as error:
            said = [str(error.message), *(str(problem.message) for problem in error.errors)]
            raise CommandError("\n".join(said)) from None
        self.stdout.write(f"{count} second factors of {user.get_username()} are taken away; the password lets them in.")
