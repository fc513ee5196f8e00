"""Tags that never move. Refused is asked at the gate, where a push would move one; at once or one after another."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from core.clock import from_now
from core.errors import Conflict
from images.keeping.gate import Question, rule
from images.keeping.models import PushTurn, TagRule
from images.keeping.patterns import matches
from images.models import Artifact, Tag
from images.registry import client, names, telling
from tenants.models import Project

TURN = timedelta(seconds=120)  # longer than the gate waits for anything between asking and passing on
IMMUTABLE = "tag_immutable"


class Protected:
    """The rules of one project, read once."""

    def __init__(self, project: Project) -> None:
        self._rules = list(TagRule.objects.filter(project=project).values_list("repositories", "tags"))

    def __bool__(self) -> bool:
        return bool(self._rules)

    def covers(self, repository: str, tag: str) -> bool:
        """`repository` is its name within the project."""
        return any(matches(where, repository) and matches(which, tag) for where, which in self._rules)


@rule("tag")
def refuse_to_move(question: Question) -> None:
    """Looked up, the turn taken, looked up again: whoever had the turn before may have put it in between."""
    if not telling.TAG.match(question.tag) or not Protected(question.project).covers(question.path.name, question.tag):
        return
    _refuse_other(question)
    _take_turn(question)
    _refuse_other(question)


def _refuse_other(question: Question) -> None:
    lies = client.digest_of(str(question.path), question.tag)
    if lies and lies != question.digest:
        raise Conflict(
            _("The tag %(tag)s never moves, and another image has it already.") % {"tag": question.tag},
            code=IMMUTABLE,
            hint=_("Push under a new tag."),
        )


def _take_turn(question: Question) -> None:
    key = {"path": str(question.path), "tag": question.tag}
    with transaction.atomic():
        PushTurn.objects.filter(**key, until__lt=Now()).delete()
        until = from_now(TURN)
        turn, _made = PushTurn.objects.get_or_create(**key, defaults={"digest": question.digest, "until": until})
        if turn.digest != question.digest:
            raise Conflict(
                _("The tag %(tag)s never moves, and another image is being pushed to it now.") % {"tag": question.tag},
                code=IMMUTABLE,
                hint=_("Push under a new tag."),
            )
        PushTurn.objects.filter(pk=turn.pk).update(until=until)


def forget_turns() -> None:
    """Those that are over mean nothing."""
    PushTurn.objects.filter(until__lt=Now()).delete()


@rule("delete_manifest")
def refuse_to_delete(question: Question) -> None:
    """What a tag that never moves stands for is not deleted either, or it could be put anew."""
    found = protected_tag(question.project, str(question.path), question.reference)
    if found:
        raise kept(found)


@rule("delete_blob")
def refuse_to_break(question: Question) -> None:
    """Nor a layer of it."""
    protected = Protected(question.project)
    if not protected:
        return
    rows = Artifact.objects.filter(repository__path=str(question.path)).values_list("layers", "tags__name")
    for layers, tag in rows:
        named = any(layer.get("digest") == question.reference for layer in layers)
        if named and tag and protected.covers(question.path.name, tag):
            raise kept(tag)


def kept(tag: str) -> Conflict:
    return Conflict(
        _("The tag %(tag)s never moves, so its image is not deleted.") % {"tag": tag},
        code=IMMUTABLE,
        hint=_("Somebody who may change the project can take the rule away first."),
    )


def protected_tag(project: Project, path: str, digest: str) -> str:
    """A tag of the image that never moves; empty where it has none."""
    protected, home = Protected(project), names.parse(path)
    if not protected or home is None:
        return ""
    tags = Tag.objects.filter(repository__path=path, artifact__digest=digest).values_list("name", flat=True)
    return next((tag for tag in tags if protected.covers(home.name, tag)), "")
