"""`manage.py scan_image ARCHIVE`: what is in an image, what is known to be wrong with it, and its rating."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.clock import database_now
from core.errors import PortalError
from images.models import Repository
from images.scanning import external, sbom, selectors, table
from images.scanning.report import OWN_TOOL, Report, scan_archive
from images.scanning.services import record_scan
from portal.seed import operator_actor


class Command(BaseCommand):
    help = "Scan an image from an archive (docker save, or an OCI layout as tar). Needs no network and no engine."

    def add_arguments(self, parser: CommandParser) -> None:
        tools = [OWN_TOOL, *(tool.name for tool in external.TOOLS)]
        parser.add_argument("archive", type=Path)
        parser.add_argument("--image", default="", metavar="NAME", help="which image, where the archive holds several")
        parser.add_argument("--platform", default="", help="which of its platforms, such as linux/arm64")
        parser.add_argument("--repository", default="", help="whose excuses count; else the one that holds the image")
        parser.add_argument("--tool", choices=tools, default="", help="none: trivy or grype if installed, else berth")
        parser.add_argument("--sbom", type=Path, metavar="FILE", help="write the packages as CycloneDX 1.6 JSON")
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = self._scan(options)
            if options["sbom"]:
                name = next(iter(report.found["names"]), options["archive"].name)
                options["sbom"].write_text(sbom.cyclonedx(report.found, name=name))
            kept = [record_scan(operator_actor(), row, report=report) for row in self._known(report)]
        except PortalError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
            return
        for line in table.lines(report, now=database_now()):
            self.stdout.write(line)
        for scan in kept:
            self.stdout.write(f"kept with {scan.artifact}")

    def _scan(self, options: dict[str, Any]) -> Report:
        named = options["tool"]
        tool = external.by_name(named) if named else external.installed()
        return scan_archive(
            options["archive"],
            name=options["image"],
            platform=options["platform"],
            tool=tool,
            excused=selectors.excused_of(self._repository(options["repository"])),
        )

    def _repository(self, name: str) -> Repository | None:
        if not name:
            return None
        found = list(Repository.objects.filter(name=name)[:2])
        if len(found) != 1:
            raise CommandError(f"{len(found) or 'no'} repositories are called {name}")
        return found[0]

    def _known(self, report: Report) -> list[Any]:
        return list(selectors.artifacts(report.found["digests"]))
