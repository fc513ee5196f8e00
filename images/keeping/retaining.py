"""Which images of a project go by its rules, and why each of the others stays."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.clock import database_now
from images.keeping.holding import held
from images.keeping.immutable import Protected
from images.keeping.models import ImagePart, RetentionRule
from images.keeping.patterns import matches
from images.models import Artifact, Repository
from images.registry import names
from images.repositories.pulls import last_days
from images.selectors import pushed_to
from tenants.models import Project

FRESH = timedelta(days=1)  # the images that one for several platforms is made of come before it, without a tag


@dataclass
class Line:
    """One image by its digest. `reasons` why it stays; with none it goes."""

    artifact: Artifact
    path: str
    tags: list[str]
    at: datetime
    reasons: list[str] = field(default_factory=list)

    @property
    def goes(self) -> bool:
        return not self.reasons


def plan(project: Project) -> list[Line]:
    """All images of repositories that a rule is about, as things are now; what goes first."""
    rules, now = list(RetentionRule.objects.filter(project=project)), database_now()
    if not rules:
        return []
    protected, found = Protected(project), list[Line]()
    for repository in pushed_to(project).prefetch_related("artifacts__tags"):
        home = names.parse(repository.path)
        here = [rule for rule in rules if home and matches(rule.repositories, home.name)]
        if here and home:
            found += _of_repository(repository, home.name, here, protected, now)
    _note_held(found, project, rules, now)
    for path in {line.path for line in found}:
        _note_parts([line for line in found if line.path == path])
    return sorted(found, key=lambda line: (not line.goes, line.path, line.at))


def _of_repository(
    repository: Repository, name: str, rules: list[RetentionRule], protected: Protected, now: datetime
) -> list[Line]:
    lines = []
    for artifact in repository.artifacts.all():
        tags = sorted(artifact.tags.all(), key=lambda tag: tag.name)
        at = max([artifact.created_at, *(tag.moved_at for tag in tags)])
        lines.append(Line(artifact, repository.path, [tag.name for tag in tags], at))
    newest = sorted((line for line in lines if line.tags), key=lambda line: line.at, reverse=True)
    rank = {line.artifact.pk: place for place, line in enumerate(newest)}
    pulled = last_days(repository) if any(rule.pulled_days for rule in rules) else {}
    for line in lines:
        for tag in line.tags:
            if protected.covers(name, tag):
                line.reasons.append(_("its tag %(tag)s never moves") % {"tag": tag})
        if not line.tags and line.at > now - FRESH:
            line.reasons.append(_("it was pushed within the last day"))
        for rule in rules:
            line.reasons += _kept_by(rule, line, rank.get(line.artifact.pk), now)
            line.reasons += _kept_by_pull(rule, pulled.get(line.artifact.pk), now)
    return lines


def _kept_by(rule: RetentionRule, line: Line, rank: int | None, now: datetime) -> Iterable[str]:
    if rule.newest is not None and rank is not None and rank < rule.newest:
        words = ngettext("it is the newest", "it is among the newest %(count)s", rule.newest)
        yield words % {"count": rule.newest}
    if rule.days is not None and line.at > now - timedelta(days=rule.days):
        words = ngettext("it was pushed within %(count)s day", "it was pushed within %(count)s days", rule.days)
        yield words % {"count": rule.days}
    if rule.tags:
        yield from (_("its tag %(tag)s is to stay") % {"tag": tag} for tag in line.tags if matches(rule.tags, tag))


def _kept_by_pull(rule: RetentionRule, last: date | None, now: datetime) -> Iterable[str]:
    """Pulls are counted by day, so the day on which it would end counts whole."""
    if rule.pulled_days is not None and last is not None and last >= (now - timedelta(days=rule.pulled_days)).date():
        words = ngettext("it was pulled within %(count)s day", "it was pulled within %(count)s days", rule.pulled_days)
        yield words % {"count": rule.pulled_days}


def _note_held(lines: list[Line], project: Project, rules: list[RetentionRule], now: datetime) -> None:
    """By the longest of the rules: which of them is about an image decides nothing about going back to it."""
    since = now - timedelta(days=max(rule.deployed_days for rule in rules))
    reasons = held({line.artifact.digest for line in lines}, project, since=since)
    for line in lines:
        line.reasons += reasons.get(line.artifact.digest, ())


def _note_parts(lines: list[Line]) -> None:
    """What an image for several platforms is made of stays as long as that; also where it is not known what that is."""
    wholes = {line.artifact.digest: line for line in lines if line.artifact.size_bytes is None and not line.goes}
    if not wholes:
        return
    parts = ImagePart.objects.filter(path=lines[0].path, whole__in=wholes).values_list("whole", "digest")
    known = {whole for whole, _digest in parts}
    digests = {digest for _whole, digest in parts}
    for line in lines:
        if line.artifact.digest in digests:
            line.reasons.append(_("an image for several platforms is made of it"))
        elif not line.tags and wholes.keys() - known:
            line.reasons.append(_("an image for several platforms may be made of it"))
