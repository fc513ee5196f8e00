"""From what lies in the registry to our rows. The registry's word of what happened is only a reason to look there."""

import uuid
from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import transaction
from django.db.models.functions import Now

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM, Actor
from images.happening import Happened, tell
from images.models import Artifact, ArtifactPart, RegistryEvent, Repository, Tag
from images.registry import client, names, scopes, untagging
from images.registry.about import About, about
from images.repositories import pulls
from tenants.models import Project, User

PUSHED = register_action("image.push")
DELETED = register_action("image.delete")
UNTAGGED = register_action("image.untag")
FEW_TAGS = (
    200  # of one repository the regular look asks for so many, beside those that are new; the next ones next time
)
FEW_UNREAD = 20  # images whose configuration is read in a regular look, where it never was
AT_ONCE = 500
LONGEST_LIST = 200


def take_in() -> int:
    """Look at everything that was told; answers how much that was. What cannot be asked now waits for the next time."""
    done = 0
    for event in RegistryEvent.objects.order_by("created_at", "pk")[:AT_ONCE]:
        path = names.parse(event.path)
        project = scopes.project_of(path) if path else None
        if project is not None:
            who = actor_of(event.subject)
            if event.action == "push":
                note(project, event.path, tag=event.tag, digest=event.digest, who=who)
            elif client.manifest(event.path, event.digest) is None:
                forget(event.path, digest=event.digest, who=who)
        event.delete()
        done += 1
    return done


def look() -> None:
    """Everything there is, compared with our rows: for what was never told."""
    take_in()
    there: set[str] = set()
    for path in client.catalogue():
        known = names.parse(path)
        project = scopes.project_of(known) if known else None
        if project is not None:
            there.add(path)
            _compare(project, path)
    for row in Repository.objects.exclude(path="").exclude(path__in=there):
        _gone(row, row.tags.values_list("name", flat=True))
    read_the_unread()
    pulls.forget_old()


def _compare(project: Project, path: str) -> None:
    row = Repository.objects.filter(path=path).first()
    if row is not None and row.name != names.reference(path):
        _moved(row)
    held = dict(row.tags.values_list("name", "artifact__digest")) if row else {}
    tags = list(client.tags(path))
    for tag in [*(tag for tag in tags if tag not in held), *_turn(row, held.keys() & set(tags))]:
        digest = client.digest_of(path, tag)
        if digest and digest != held.get(tag):
            note(project, path, tag=tag, digest=digest, who=SYSTEM)
    if row is not None:
        _gone(row, held.keys() - set(tags))


def _turn(row: Repository | None, known: Iterable[str]) -> list[str]:
    """Tags that may have moved: all of a few; of many those that are due, so that each has its turn."""
    if row is None:
        return []
    ordered = sorted(known)
    if len(ordered) <= FEW_TAGS:
        return ordered
    due = [tag for tag in ordered if tag > row.looked_up_to][:FEW_TAGS]
    Repository.objects.filter(pk=row.pk).update(looked_up_to=due[-1] if len(due) == FEW_TAGS else "")
    return due


def _moved(row: Repository) -> None:
    """The registry has another address now."""
    name = names.reference(row.path)
    with transaction.atomic():
        Repository.objects.filter(pk=row.pk).update(name=name)
        for artifact in row.artifacts.all():
            Artifact.objects.filter(pk=artifact.pk).update(pinned=f"{name}@{artifact.digest}")


def _gone(row: Repository, tags: Iterable[str]) -> None:
    """Take out tags that the list did not name, if they are there no more, and what lies there no more at all."""
    names_left = iter(sorted(tags))
    while some := list(islice(names_left, AT_ONCE)):
        for tag in row.tags.filter(name__in=some).select_related("artifact"):
            if client.digest_of(row.path, tag.name):
                continue
            if client.manifest(row.path, tag.artifact.digest) is None:
                forget(row.path, digest=tag.artifact.digest, who=SYSTEM)
            else:
                untag(row.path, tag=tag.name, who=SYSTEM)


def read_the_unread() -> int:
    """Of images that were noted before their configuration was kept: read it, a few at a time."""
    rows = Artifact.objects.filter(configuration__isnull=True).exclude(repository__path="")
    few = list(rows.select_related("repository").order_by("-pk")[:FEW_UNREAD])
    for row in few:
        found = client.manifest(row.repository.path, row.digest)
        known = about(row.repository.path, found) if found else About({"configuration": {}})
        with transaction.atomic():
            Artifact.objects.filter(pk=row.pk).update(**known.columns)
            _write_parts(row, known.parts)
    return len(few)


def note(project: Project, path: str, *, tag: str, digest: str, who: Actor) -> None:
    """Write down what lies there under this digest, and the tag if the registry says that it means this now."""
    found = client.manifest(path, digest)
    if found is None or untagging.is_mark(found):
        return
    told = about(path, found)
    current = bool(tag) and client.digest_of(path, tag) == digest
    with transaction.atomic():
        home, _made = Repository.objects.update_or_create(
            path=path,
            defaults={"title": told.title, "description": told.description},
            create_defaults={
                "tenant_id": project.tenant_id,
                "project": project,
                "name": names.reference(path),
                "title": told.title,
                "description": told.description,
            },
        )
        columns = told.columns | {"pinned": f"{home.name}@{digest}"}
        artifact, new = Artifact.objects.update_or_create(
            repository=home, digest=digest, defaults=columns, create_defaults=columns | {"pushed_by": _name(who)}
        )
        if new:
            _write_parts(artifact, told.parts)
        moved = current and _point(home, tag, artifact, who)
        if new or moved:
            line = Line(PUSHED, detail={"tag": tag, "digest": digest})
            line.name_target(home)
            record(who, line, result=AuditEntry.Result.DONE)
            tell(Happened("pushed", home, digest, who, tag=tag if moved else ""))


def _point(home: Repository, tag: str, artifact: Artifact, who: Actor) -> bool:
    """True where the tag meant something else until now."""
    row = Tag.objects.filter(repository=home, name=tag).first()
    if row is not None and row.artifact_id == artifact.pk:
        return False
    Tag.objects.update_or_create(
        repository=home, name=tag, defaults={"artifact": artifact, "moved_at": Now(), "moved_by": _name(who)}
    )
    return True


def _write_parts(artifact: Artifact, parts: Sequence[tuple[str, str]]) -> None:
    rows = [ArtifactPart(artifact=artifact, digest=digest, platform=platform) for digest, platform in parts]
    ArtifactPart.objects.bulk_create(rows, ignore_conflicts=True)


def untag(path: str, *, tag: str, who: Actor) -> None:
    """A tag is no more; what it meant is still there."""
    with transaction.atomic():
        row = Tag.objects.select_related("artifact", "repository").filter(repository__path=path, name=tag).first()
        if row is None:
            return
        digest = row.artifact.digest
        line = Line(UNTAGGED, detail={"tag": tag, "digest": digest})
        line.name_target(row.repository)
        row.delete()
        record(who, line, result=AuditEntry.Result.DONE)
        tell(Happened("deleted", row.repository, digest, who, tag=tag, detail={"tags": [tag], "untagged": True}))


def forget(path: str, *, digest: str, who: Actor) -> None:
    """Of what was deleted in the registry nothing is offered any more."""
    with transaction.atomic():
        artifact = Artifact.objects.select_related("repository").filter(repository__path=path, digest=digest).first()
        if artifact is None:
            return
        tags = list(artifact.tags.values_list("name", flat=True))
        line = Line(DELETED, detail={"tags": tags[:LONGEST_LIST], "digest": digest})
        line.name_target(artifact.repository)
        artifact.delete()
        record(who, line, result=AuditEntry.Result.DONE)
        layers = [layer["digest"] for layer in artifact.layers]
        detail: dict[str, object] = {"tags": tags[:LONGEST_LIST], "layers": layers}
        tell(Happened("deleted", artifact.repository, digest, who, detail=detail))


def actor_of(subject: str) -> Actor:
    """Whom our token named; the system where nobody is known."""
    kind, _colon, key = subject.partition(":")
    if kind not in ("person", "token"):
        return SYSTEM
    user = User.objects.filter(pk=uuid.UUID(key)).first()
    return Actor(user.pk, user.get_username(), kind=kind) if user else SYSTEM


def _name(who: Actor) -> str:
    return "" if who is SYSTEM else who.name[:150]
