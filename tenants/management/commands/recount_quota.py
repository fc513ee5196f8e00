"""`manage.py recount_quota`: is what is held the sum of what is declared? What drifted is said, and put right."""

from typing import Any

from django.core.management.base import BaseCommand

from tenants.quota.sweeping import recount_all


class Command(BaseCommand):
    help = "Add up again what every tenant and project holds; report and mend what drifted."

    def handle(self, *args: Any, **options: Any) -> None:
        found = recount_all()
        for drift in found:
            self.stdout.write(f"{drift.tenant}: {drift.resource} of {drift.what} was {drift.was}, is {drift.now}")
        self.stdout.write(f"{len(found)} numbers had drifted" if found else "all numbers are right")
