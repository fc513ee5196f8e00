"""A report as its page and the API read it: for whoever may see images of a project."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Case, IntegerField, Value, When

from core.api.paging import Rows, plain
from core.errors import NotFound
from images import selectors as images
from images.models import Artifact
from images.scanning import sbom, words
from images.scanning.advisories.osv import LEVELS
from images.scanning.models import Excuse, Scan, ScanFinding, ScanPackage
from images.scanning.operations import last_try
from images.scanning.report import ExcuseOf
from images.scanning.selectors import Standing, excused_in, excuses, newest_scan, standing
from operations.models import Operation
from tenants.models import Project

FINDING = ["id", "vulnerability", "ids", "package", "version", "severity", "score", "fixed", "summary", "path", "layer"]
PACKAGE = ["kind", "name", "version", "source", "licence", "arch", "path", "standing", "layer"]
RANK = Case(*(When(severity=one, then=Value(at)) for at, one in enumerate(LEVELS)), output_field=IntegerField())


@dataclass(frozen=True)
class Report:
    """What is known of one image, seen from a project that may use it."""

    project: Project
    artifact: Artifact

    @property
    def own(self) -> bool:
        """What people of another tenant said about their images is not told."""
        return self.artifact.repository.tenant_id == self.project.tenant_id

    @cached_property
    def scan(self) -> Scan | None:
        return newest_scan(self.artifact)

    @cached_property
    def standing(self) -> Standing:
        return standing(self.artifact)

    @cached_property
    def last_try(self) -> Operation | None:
        return last_try(self.artifact)

    @property
    def doubts(self) -> list[dict[str, Any]]:
        return [{"code": one["code"], "message": words.doubt(one)} for one in self.standing.doubts]

    @property
    def findings(self) -> Rows:
        """The worst first."""
        rows = ScanFinding.objects.filter(scan=self.scan)
        return plain(rows.annotate(rank=RANK), *FINDING, "rank")

    def shown_findings(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        find = excused_in(self.artifact.repository)
        return [self._shown(dict(row), find(dict(row))) for row in rows]

    def _shown(self, row: dict[str, Any], excuse: ExcuseOf | None) -> dict[str, Any]:
        row.pop("rank", None)
        told = excuse.as_json() if excuse else None
        if told and not self.own:
            told |= {"reason": "", "given_by": ""}
        return row | {"excused": told, "command": self.command(row["layer"])}

    def command(self, layer: int) -> str:
        """What made a layer, so that somebody finds it in their own recipe."""
        layers = self.scan.layers if self.scan else []
        return str(layers[layer - 1].get("command", "")) if 0 < layer <= len(layers) else ""

    @property
    def excuses(self) -> Iterable[Excuse]:
        return excuses(self.artifact.repository) if self.own else ()

    @property
    def secrets(self) -> list[dict[str, Any]]:
        return [{**one, "said": words.secret(one["kind"])} for one in (self.scan.secrets if self.scan else ())]

    @cached_property
    def licences(self) -> list[dict[str, Any]]:
        """Each with how many packages it is of, the most frequent first; empty: those that say none."""
        if self.scan is None:
            return []
        counted = Counter(self.scan.packages.values_list("licence", flat=True))
        return [{"licence": name, "count": count} for name, count in sorted(counted.items(), key=_often)]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Of an image for several platforms: each with its own standing."""
        told = self.scan.parts if self.scan else []
        digests = [one["digest"] for one in told]
        rows = {one.digest: one for one in self.artifact.repository.artifacts.filter(digest__in=digests)}
        return [{**one, "artifact": row, "standing": standing(row)} for one in told if (row := rows.get(one["digest"]))]

    def bill(self) -> str:
        """All packages as CycloneDX. Raises NotFound where nobody has looked."""
        if self.scan is None or self.scan.parts:
            raise NotFound()
        packages = [dict(one) for one in ScanPackage.objects.filter(scan=self.scan).order_by("pk").values(*PACKAGE)]
        found = {"packages": packages, "system": self.scan.system, "digests": [self.artifact.digest]}
        return sbom.cyclonedx(found, name=self.artifact.repository.name)


def _often(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


def report_of(project: Project, artifact_id: uuid.UUID) -> Report:
    """Of an image that the project may use. Raises NotFound for any other."""
    return Report(project, artifact_of(project, artifact_id))


def artifact_of(project: Project, artifact_id: uuid.UUID) -> Artifact:
    rows = Artifact.objects.select_related("repository__project", "repository__tenant")
    found = rows.filter(pk=artifact_id, repository__in=images.repositories(project)).first()
    if found is None:
        raise NotFound()
    return found


def excuse_of(report: Report, excuse_id: uuid.UUID) -> Excuse:
    """One that was given in this repository. Raises NotFound for any other."""
    rows = Excuse.objects.select_related("repository").filter(repository=report.artifact.repository)
    found = rows.filter(pk=excuse_id).first() if report.own else None
    if found is None:
        raise NotFound()
    return found
