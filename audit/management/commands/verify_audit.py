"""`manage.py verify_audit`: does every chain still hold?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.chain import chains, verify


class Command(BaseCommand):
    help = "Recompute every audit chain and name the first entry that was changed or removed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chain", help="only this chain, e.g. platform or tenant:<id>")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = []
        for chain in [options["chain"]] if options["chain"] else chains():
            verdict = verify(chain)
            if verdict.holds:
                self.stdout.write(f"{chain}: {verdict.entries} entries, all in order")
            else:
                broken.append(chain)
                self.stdout.write(
                    f"{chain}: entry {verdict.bad_seq} is {verdict.fault}; do not trust it or what follows"
                )
        if broken:
            raise CommandError(f"{len(broken)} of the audit chains do not hold: {', '.join(broken)}")
