"""The images one may choose from in the deploy panel, each with what tells it apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.models import Environment
from apps.selectors.newer_images import Newer
from apps.selectors.promoting import ladder
from apps.specification import BadImageReference, parse_image
from core.access import Actor
from core.wording import ago_text, bytes_text
from images.models import Artifact
from images.promotion.selectors import choosable, choosable_tags
from images.registry import names as registry
from images.scanning.selectors import latest_scans
from images.selectors import artifacts_by_digest, find, tags
from tenants.models import Project

MOST = 8
MORE = 24  # with each wish for more
LARGEST = 200  # beyond which only searching helps


@dataclass(frozen=True)
class ImageChoice:
    """`label`: the reference as people of the project call it. `rating`: the letter of its newest scan; empty where
    nobody looked. `newer`: more so than what runs. `environments` are the project's, where some stage asks for an
    approval, and `reached` the names of those that this image may run in.
    """

    reference: str
    label: str
    detail: str
    chosen: bool = False
    rating: str = ""
    newer: str = ""
    environments: Sequence[Environment] = ()
    reached: Sequence[str] = ()


@dataclass(frozen=True)
class ImageChoices:
    """`most`: how many the list was made for. `more`: how many it is made for when more is wished for; 0 where all are
    shown, or too many. `searched`: something was asked for. `cut`: there are more than anybody looks through."""

    shown: list[ImageChoice]
    most: int
    more: int
    searched: bool
    cut: bool = False


def image_choices(
    actor: Actor, project: Project, *, search: str, chosen: str, newer: Sequence[Newer] = (), most: int = MOST
) -> ImageChoices:
    """What is newer than what runs, the chosen one if the search does not show it, what the search finds, and the
    text as it stands: each once. Who only tests is offered what was released to test.
    """
    most = min(max(most, MOST), LARGEST)
    rows = _found(actor, project, search, most + 1)
    listed = {one.reference: artifact_of(project, one.reference) for one in newer}
    found = dict(rows[:most])
    if chosen and chosen not in found:
        listed[chosen] = artifact_of(project, chosen)
    listed |= found
    typed = search.strip()
    if typed not in listed and _is_reference(typed) and (not rows or set(typed) & set(":@")):
        listed[typed] = artifact_of(project, typed)
    longer = len(rows) > most
    more = most + MORE if longer and most < LARGEST else 0
    return ImageChoices(_shown(project, listed, chosen, newer), most, more, bool(typed), cut=longer and not more)


def _shown(
    project: Project, listed: Mapping[str, Artifact | None], chosen: str, newer: Sequence[Newer]
) -> list[ImageChoice]:
    steps = ladder(project, [artifact.digest for artifact in listed.values() if artifact])
    letters = latest_scans(artifact.pk for artifact in listed.values() if artifact)
    anew = {one.reference: _("pushed anew") if one.pushed else _("newer") for one in newer}
    return [
        ImageChoice(
            reference=name,
            label=_label(project, name),
            detail=_detail(artifact),
            chosen=name == chosen,
            rating=letters[artifact.pk].rating if artifact and artifact.pk in letters else "",
            newer=anew.get(name, ""),
            environments=steps.environments if steps and artifact else (),
            reached=steps.reached[artifact.digest] if steps and artifact else (),
        )
        for name, artifact in listed.items()
    ]


def _label(project: Project, reference: str) -> str:
    """An image of the project's own without what all of them begin with: the registry and the tenant."""
    home = f"{project.tenant.name}/"
    mine = registry.reference(home) if registry.address() else ""
    return reference.removeprefix(mine) if mine and reference.startswith(f"{mine}{project.name}/") else reference


def _found(actor: Actor, project: Project, search: str, count: int) -> list[tuple[str, Artifact]]:
    """By repository and tag; with an @, by what follows it of a digest."""
    named, at, digest = search.strip().partition("@")
    if at and digest:
        only = choosable(actor, project)
        rows = artifacts_by_digest(project, search=named, digest=digest)
        rows = (rows if only is None else rows.filter(only))[:count]
        return [(f"{row.repository.name}@{row.digest}", row) for row in rows]
    offered = choosable_tags(actor, project, tags(project, search=named))[:count]
    return [(str(row), row.artifact) for row in offered]


def artifact_of(project: Project, reference: str) -> Artifact | None:
    """What our list knows of an image that a person named; None where it knows nothing, or the name is none."""
    try:
        parsed = parse_image(reference)
    except BadImageReference:
        return None
    return find(project, repository=parsed.short_name, tag=parsed.tag or "", digest=parsed.digest or "")


def repository_of(reference: str) -> str:
    """The part of an image's name that all its tags share; empty for what is no image's name."""
    try:
        return parse_image(reference).short_name
    except BadImageReference:
        return ""


def _is_reference(text: str) -> bool:
    return bool(repository_of(text)) if text else False


def _detail(artifact: Artifact | None) -> str:
    if artifact is None:
        return _("as typed; its registry is asked when the deployment runs")
    size = bytes_text(artifact.size_bytes) if artifact.size_bytes is not None else ""
    age = ago_text(artifact.built_at) if artifact.built_at else ""
    return " · ".join(part for part in (artifact.digest[:15], size, age) if part)
