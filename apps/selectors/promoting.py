"""Images on their way through the stages of a project, with what runs where."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.models import AppEnvironment, Environment, ReleaseImage
from core.access import Actor, check
from core.errors import NotFound
from images.models import Artifact
from images.promotion.difference import difference
from images.promotion.models import Approval, Promotion, Stage, StagePolicy
from images.promotion.passport import passport
from images.promotion.standing import holds, policies, refused
from images.selectors import repositories
from tenants.models import Project
from tenants.selectors import project as project_of

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z", re.ASCII)


@dataclass(frozen=True)
class Run:
    """One service of an app that is declared with an image."""

    app: str
    service: str
    environment: str
    stage: str
    release: int
    reference: str
    digest: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("app", "service", "environment", "stage", "release")}


def image_project(actor: Actor, tenant: str, project: str) -> Project:
    """The project, if the actor may look at images there."""
    row = project_of(actor, tenant, project)
    check(actor, "image.view", row)
    return row


def artifact_of(project: Project, digest: str, *, repository: str = "") -> Artifact:
    """An image that is offered to the project, its own first. Raises NotFound for any other."""
    if not DIGEST.match(digest):
        raise NotFound()
    homes = repositories(project).order_by()
    rows = Artifact.objects.filter(repository__in=homes.values("pk"), digest=digest).select_related("repository")
    if repository:
        rows = rows.filter(repository__name=repository)
    found = sorted(rows, key=lambda row: (row.repository.project_id != project.pk, row.created_at))
    if not found:
        raise NotFound()
    return found[0]


def runs(project: Project, *, digests: Iterable[str] | None = None, stage: str = "") -> list[Run]:
    """What is declared in the project's environments now, stopped or not: of these images, in this stage."""
    places = AppEnvironment.objects.filter(project=project, release__isnull=False)
    if stage:
        places = places.filter(environment__stage=stage)
    by_release: dict[Any, list[AppEnvironment]] = {}
    for place in places.select_related("app", "environment", "release"):
        by_release.setdefault(place.release_id, []).append(place)
    pins = ReleaseImage.objects.filter(release__in=list(by_release)).order_by("service")
    if digests is not None:
        pins = pins.filter(digest__in=list(digests))
    found = [_run(place, pin) for pin in pins for place in by_release[pin.release_id]]
    return sorted(found, key=lambda run: (Stage.values.index(run.stage), run.environment, run.app, run.service))


def _run(place: AppEnvironment, pin: ReleaseImage) -> Run:
    here = place.environment
    number = place.release.number if place.release else 0
    return Run(place.app.name, pin.service, here.name, here.stage, number, pin.reference, pin.digest)


def runs_before(project: Project, stage: str, artifact: Artifact) -> Artifact | None:
    """What of the same repository runs in a stage now, and is not this very image."""
    there = {run.digest for run in runs(project, stage=stage)} - {artifact.digest}
    rows = Artifact.objects.filter(repository=artifact.repository_id, digest__in=there).select_related("repository")
    return rows.order_by("-created_at").first()


def compared(project: Project, promotion: Promotion) -> dict[str, Any] | None:
    """What differs from what runs in the stage; None where nothing of it runs there, or the image is gone."""
    rows = Artifact.objects.filter(offered(project), digest=promotion.digest, repository__name=promotion.name)
    artifact = rows.select_related("repository").first()
    before = runs_before(project, promotion.stage, artifact) if artifact else None
    return difference(before, artifact) if artifact and before else None


def offered(project: Project) -> Q:
    """On Artifact: those that the project may use."""
    return Q(repository__in=repositories(project).order_by().values("pk"))


@dataclass(frozen=True)
class Ladder:
    """A project's environments in their order, and of some images the names of those that each may run in."""

    environments: list[Environment]
    reached: dict[str, list[str]]


def ladder(project: Project, digests: Sequence[str]) -> Ladder | None:
    """None where no stage asks for an approval: then every image may run everywhere. Three queries at most."""
    asked = set(policies(project.pk))
    if not asked:
        return None
    rows = Approval.objects.filter(holds(), project=project, digest__in=set(digests), stage__in=asked)
    approved = set(rows.values_list("digest", "stage"))
    here = list(Environment.objects.filter(project=project).order_by("position"))
    reached = {
        digest: [one.name for one in here if one.stage not in asked or (digest, one.stage) in approved]
        for digest in digests
    }
    return Ladder(here, reached)


def stages(project: Project) -> list[dict[str, Any]]:
    """Every stage the project has environments in, or asks something of, with what it asks."""
    asked = policies(project.pk)
    environments = Environment.objects.filter(project=project).order_by("position")
    named: dict[str, list[str]] = {}
    for stage, name in environments.values_list("stage", "name"):
        named.setdefault(stage, []).append(name)
    here = [stage for stage in Stage.values if stage in named or stage in asked]
    return [_stage(stage, named.get(stage, []), asked.get(stage)) for stage in here]


def _stage(stage: str, environments: list[str], policy: StagePolicy | None) -> dict[str, Any]:
    return {
        "stage": stage,
        "title": str(Stage(stage).label),
        "environments": environments,
        "by_approval": policy is not None,
        "approvers": policy.approvers if policy else 0,
        "rating": policy.rating if policy else "",
        "valid_days": policy.valid_days if policy else None,
        "version": policy.version if policy else None,
    }


def kept_out_now(project: Project) -> list[Run]:
    """What is declared where its image may not start: it keeps running, and needs an approval before anything else."""
    found: list[Run] = []
    for stage in policies(project.pk):
        here = runs(project, stage=stage)
        out = refused(project.pk, stage, {run.digest for run in here})
        found += [run for run in here if run.digest in out]
    return found


def askable(project: Project, *, most: int = 200) -> list[Artifact]:
    """Images one may ask for, the newest first: those of the project's own repositories, and what it runs."""
    running = {run.digest for run in runs(project)}
    wanted = Q(repository__project=project) | Q(digest__in=running)
    rows = Artifact.objects.filter(wanted, offered(project)).select_related("repository").prefetch_related("tags")
    return list(rows.order_by("-created_at")[:most])


def passport_of(project: Project, digest: str) -> dict[str, Any]:
    """All that is known of an image, with where it is declared, and what differs from what runs in each stage.

    Raises NotFound where the project has no such image.
    """
    artifact = artifact_of(project, digest)
    before = {stage: runs_before(project, stage, artifact) for stage in Stage.values}
    return passport(project, artifact) | {
        "runs": [run.as_json() for run in runs(project, digests=[digest])],
        "differences": [{"stage": stage} | difference(old, artifact) for stage, old in before.items() if old],
    }


def passport_if_any(project: Project, digest: str) -> dict[str, Any] | None:
    """None where the image is in no list any more; requests outlive it."""
    try:
        return passport_of(project, digest)
    except NotFound:
        return None
