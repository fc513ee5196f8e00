"""A scan that is kept: its rows, who is told of it, and its line in the audit where nobody asked for it."""

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM, Actor
from images.happening import Happened, tell
from images.models import Artifact
from images.scanning.models import Scan, ScanFinding, ScanPackage
from images.scanning.rating import GOOD, UNKNOWN
from images.scanning.report import OWN_TOOL, Report
from operations.changes import announce

BATCH = 500
MOST_LISTS = 200
FINDING = ["vulnerability", "ids", "package", "version", "severity", "score", "fixed", "summary", "path", "layer"]
PACKAGE = ["kind", "name", "version", "source", "source_version", "licence", "arch", "path", "standing", "layer"]


def note_scan(artifact: Artifact, *, report: Report) -> Scan:
    """The same for what Berth looked at by itself; call it in the transaction of its operation."""
    scan = keep(SYSTEM, artifact, report)
    _tell_audit(artifact, {"rating": scan.rating, "counts": scan.counts})
    return scan


def note_parts(artifact: Artifact, *, parts: list[dict[str, str]]) -> Scan:
    """Of an image for several platforms: whose ratings make its own. See `images.scanning.standing`."""
    scan = Scan.objects.create(artifact=artifact, rating=UNKNOWN, at_best=GOOD, tool=OWN_TOOL, parts=parts)
    _tell_audit(artifact, {"parts": len(parts)})
    tell(Happened("scanned", artifact.repository, artifact.digest, SYSTEM, detail={"scan": str(scan.pk)}))
    return scan


def _tell_audit(artifact: Artifact, after: dict[str, object]) -> None:
    line = Line(register_action("image.scan"), after=after, detail={"digest": artifact.digest})
    line.name_target(artifact)
    record(SYSTEM, line, result=AuditEntry.Result.DONE)


def keep(actor: Actor, artifact: Artifact, report: Report) -> Scan:
    """In the caller's transaction, whose entry of the audit it is."""
    scan = Scan.objects.create(
        artifact=artifact,
        rating=report.rating,
        at_best=report.at_best,
        tool=report.tool,
        counts=report.counts,
        system=report.found["system"],
        digests=report.found["digests"],
        notes=report.found["notes"],
        data_as_of=report.compared.as_of,
        doubts=report.doubts,
        secrets=report.found["secrets"],
        special_files=report.found["special_files"],
        layers=report.found["layers"],
    )
    findings = [ScanFinding(scan=scan, **{key: one[key] for key in FINDING}) for one in report.compared.findings]
    packages = [
        ScanPackage(scan=scan, **{key: one[key] for key in PACKAGE if key in one}) for one in report.found["packages"]
    ]
    ScanFinding.objects.bulk_create(findings, batch_size=BATCH)
    ScanPackage.objects.bulk_create(packages, batch_size=BATCH)
    ScanPackage.objects.filter(scan__artifact=artifact, scan__pk__lt=scan.pk).delete()  # only the newest is compared
    announce("scan", artifact.pk, tenant=artifact.repository.tenant_id, project=artifact.repository.project_id)
    for digest in (artifact.digest, *_lists_with(artifact)):
        tell(Happened("scanned", artifact.repository, digest, actor, detail={"scan": str(scan.pk)}))
    return scan


def _lists_with(artifact: Artifact) -> list[str]:
    """Digests of the images for several platforms of which this is one."""
    rows = Scan.objects.filter(artifact__repository=artifact.repository_id).exclude(parts=[])
    found = rows.order_by("-pk").values_list("artifact__digest", "parts")[:MOST_LISTS]
    return sorted({digest for digest, parts in found if any(one["digest"] == artifact.digest for one in parts)})
