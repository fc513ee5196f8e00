"""The images one may choose from in the deploy panel, each with what tells it apart."""

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.specification import BadImageReference, parse_image
from core.wording import ago_text, bytes_text
from images.models import Artifact
from images.selectors import find, tags

MOST = 8


@dataclass(frozen=True)
class ImageChoice:
    reference: str
    detail: str
    chosen: bool = False


@dataclass(frozen=True)
class ImageChoices:
    """`more`: the list is longer than what is shown. `searched`: something was asked for."""

    shown: list[ImageChoice]
    more: bool
    searched: bool


def image_choices(tenant_id: uuid.UUID, *, search: str, chosen: str) -> ImageChoices:
    """The chosen one first if the search does not show it, then what the search finds, then the text as it stands."""
    rows = list(tags(tenant_id, search=search.partition("@")[0])[: MOST + 1])
    found = [ImageChoice(str(row), _detail(row.artifact), str(row) == chosen) for row in rows[:MOST]]
    names = {one.reference for one in found}
    if chosen and chosen not in names:
        found.insert(0, ImageChoice(chosen, _detail(artifact_of(tenant_id, chosen)), chosen=True))
    typed = search.strip()
    if typed not in names | {chosen} and _is_reference(typed) and (not rows or set(typed) & set(":@")):
        found.append(ImageChoice(typed, _detail(None)))
    return ImageChoices(found, len(rows) > MOST, bool(typed))


def artifact_of(tenant_id: uuid.UUID, reference: str) -> Artifact | None:
    """What our list knows of an image that a person named; None where it knows nothing, or the name is none."""
    try:
        parsed = parse_image(reference)
    except BadImageReference:
        return None
    return find(tenant_id, repository=parsed.short_name, tag=parsed.tag or "", digest=parsed.digest or "")


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
