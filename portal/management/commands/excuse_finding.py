"""`manage.py excuse_finding REPOSITORY VULNERABILITY`: somebody answers for a finding until a day."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.access import Actor
from core.errors import PortalError
from images.models import Repository
from images.scanning import selectors
from images.scanning.services import end_excuse, excuse_finding
from portal.seed import operator_actor
from tenants.models import User
from tenants.rights import rights_of


class Command(BaseCommand):
    help = "Excuse a finding in the images of a repository: it is shown with the reason, and does not count."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("repository")
        parser.add_argument("vulnerability", help="such as CVE-2024-3094, or any of its other ids")
        parser.add_argument("--tenant", default="", help="whose repository; none: the platform's")
        parser.add_argument("--package", default="", help="only of this package")
        parser.add_argument("--reason", default="", help="why it does no harm here")
        parser.add_argument("--until", type=date.fromisoformat, help="the last day, as 2027-01-31; a year at most")
        parser.add_argument("--person", default="", help="who answers for it; none: the platform's operator")
        parser.add_argument("--end", action="store_true", help="nobody answers for it any more")

    def handle(self, *args: Any, **options: Any) -> None:
        whose = {"tenant__name": options["tenant"]} if options["tenant"] else {"tenant": None}
        repository = Repository.objects.filter(name=options["repository"], **whose).first()
        if repository is None:
            raise CommandError(f"There is no repository called {options['repository']} there.")
        actor = self._actor(options["person"])
        try:
            if options["end"]:
                self._end(actor, repository, options)
            else:
                self._excuse(actor, repository, options)
        except PortalError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error

    def _actor(self, name: str) -> Actor:
        if not name:
            return operator_actor()
        person = User.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise CommandError(f"There is nobody called {name}.")
        return Actor(person.pk, person.get_username(), rights_of(person))

    def _excuse(self, actor: Actor, repository: Repository, options: dict[str, Any]) -> None:
        if options["until"] is None:
            raise CommandError("Say until when: --until 2027-01-31")
        said = {key: options[key] for key in ("vulnerability", "package", "reason", "until")}
        made = excuse_finding(actor, repository, **said)
        self.stdout.write(f"{made.vulnerability} in {repository.name} is excused until {made.until} by {made.given_by}")

    def _end(self, actor: Actor, repository: Repository, options: dict[str, Any]) -> None:
        rows = selectors.excuses(repository).filter(vulnerability=options["vulnerability"], package=options["package"])
        for row in rows:
            end_excuse(actor, row)
        if not rows:
            raise CommandError(f"{options['vulnerability']} is not excused in {repository.name}.")
        self.stdout.write(f"{options['vulnerability']} in {repository.name} counts again")
