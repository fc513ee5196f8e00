"""`manage.py verify_reviews`: is every sealed review still what was sealed, and is a file one of them?"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.models import Review
from tenants.reviews import results, sealing


class Command(BaseCommand):
    help = "Make the result of every sealed access review again and compare it with the digest in the audit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, help="a result that was downloaded: say which review sealed it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"]:
            self._of_file(options["file"])
            return
        broken = []
        sealed = Review.objects.filter(sealed_at__isnull=False).select_related("tenant", "project")
        for review in sealed.order_by("tenant__name", "sealed_at"):
            verdict = sealing.verify(review)
            said = f"sealed by entry {verdict.seq}" if verdict.holds else verdict.fault
            self.stdout.write(f"{review.tenant.name}: {review.name}, {verdict.digest}: {said}")
            if not verdict.holds:
                broken.append(str(review.pk))
        if broken:
            raise CommandError(f"{len(broken)} results are not what was sealed: {', '.join(broken)}")

    def _of_file(self, path: Path) -> None:
        digest = results.digest(path.read_bytes())
        rows = Review.objects.select_related("tenant", "project")
        found = rows.filter(digest=digest).first() or rows.filter(csv_digest=digest).first()
        if found is None or not sealing.verify(found).holds:
            raise CommandError(f"{digest}: no review sealed this file")
        self.stdout.write(f"{digest}: {found.tenant.name}, {found.name}, sealed by {found.sealed_by}")
