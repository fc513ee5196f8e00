"""What changes what is known of images: advisories come in, scans are kept, somebody answers for a finding."""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.clock import database_now
from core.errors import Conflict, FieldProblem, Invalid
from images.models import Artifact, Repository
from images.scanning.advisories.importing import Outcome
from images.scanning.models import Advisory, AdvisoryFeed, Excuse, Scan
from images.scanning.noting import keep
from images.scanning.ordering import NEEDS, enqueue_scan
from images.scanning.report import Report
from operations.models import Operation

LONGEST_EXCUSE = timedelta(days=365)
SHORTEST_REASON = 10


@command("vulnerability.import", permission="cluster.manage")
def import_advisories(actor: Actor, target: None, *, source: str, outcome: Outcome) -> None:
    """Say which ecosystems are known now, and how old what is known of each is."""
    for ecosystem, newest in sorted(outcome.newest.items()):
        known = Advisory.objects.filter(affected__ecosystem=ecosystem).distinct().count()
        values = {"newest": newest, "advisories": known, "source": source[:200], "imported_at": database_now()}
        AdvisoryFeed.objects.update_or_create(ecosystem=ecosystem, defaults=values)
    numbers = {name: getattr(outcome, name) for name in ("read", "new", "changed", "same", "unreadable")}
    describe(after=numbers, detail={"ecosystems": ", ".join(sorted(outcome.newest))[:500]})


@command("image.scan", permission="cluster.manage")
def record_scan(actor: Actor, artifact: Artifact, *, report: Report) -> Scan:
    """Keep what a scan found, with the packages it saw."""
    scan = keep(actor, artifact, report)
    describe(after={"rating": scan.rating, "counts": scan.counts}, detail={"digest": artifact.digest})
    return scan


@command("image.order_scan", permission=NEEDS)
def order_scan(actor: Actor, artifact: Artifact) -> Operation:
    """Have it looked through now. Raises Conflict while that is being done already."""
    if not artifact.repository.path:
        raise Invalid(
            _("This image is not in the registry of Berth."),
            hint=_("Push it to a project, or have an operator scan its archive: manage.py scan_image."),
        )
    return enqueue_scan(actor, artifact)


def _may_excuse(repository: Repository) -> tuple[str, ...]:
    """Whose images they are answers for them: the platform's operators, or who manages the tenant."""
    return ("cluster.manage",) if repository.tenant_id is None else ("tenant.manage",)


@command("image.excuse_finding", permission=_may_excuse)
def excuse_finding(
    actor: Actor, repository: Repository, *, vulnerability: str, package: str = "", reason: str, until: date
) -> Excuse:
    """Answer for a finding until a day: it is shown with the reason, and does not count in the rating."""
    _check(vulnerability.strip(), reason.strip(), until)
    return _new_excuse(actor, repository, vulnerability.strip(), package.strip(), reason.strip(), until)


def _new_excuse(
    actor: Actor, repository: Repository, vulnerability: str, package: str, reason: str, until: date
) -> Excuse:
    made = Excuse.objects.create(
        tenant_id=repository.tenant_id,
        repository=repository,
        vulnerability=vulnerability[:100],
        package=package[:300],
        reason=reason[:500],
        until=until,
        given_by=actor.name[:200],
    )
    describe(after={"vulnerability": made.vulnerability, "package": made.package, "until": until.isoformat()})
    return made


def _check(vulnerability: str, reason: str, until: date) -> None:
    today = database_now().date()
    problems = []
    if not vulnerability:
        problems.append(FieldProblem("vulnerability", "required", _("Name the vulnerability, such as CVE-2024-3094.")))
    if len(reason) < SHORTEST_REASON:
        problems.append(FieldProblem("reason", "too_short", _("Say why it does no harm here, in a sentence.")))
    if not today <= until <= today + LONGEST_EXCUSE:
        problems.append(FieldProblem("until", "out_of_range", _("Give a day from today on, within a year.")))
    if problems:
        raise Invalid(_("The finding was not excused."), hint=str(problems[0].message), errors=problems)


def _may_end(excuse: Excuse) -> tuple[str, ...]:
    return _may_excuse(excuse.repository)


@command("image.end_excuse", permission=_may_end)
def end_excuse(actor: Actor, excuse: Excuse) -> Excuse:
    """Nobody answers for it any more: the finding counts again."""
    changed = Excuse.objects.filter(pk=excuse.pk, ended_at__isnull=True).update(ended_at=database_now())
    if not changed:
        raise Conflict(_("This excuse is over already."))
    describe(before={"vulnerability": excuse.vulnerability, "until": excuse.until.isoformat()})
    excuse.refresh_from_db()
    return excuse
