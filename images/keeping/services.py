"""Rules for a project's images, removing by them, and tidying up the registry. Each public function is a command."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, FieldProblem, Invalid
from images.keeping.models import RetentionRule, TagRule
from images.keeping.operations import COLLECT, start_cleaning
from images.keeping.patterns import FORM
from images.repositories import pulls
from operations.models import Operation
from operations.services import enqueue
from tenants.models import Project

MOST_RULES = 50
MOST_KEPT, MOST_DAYS = 10_000, 3650
MOST_DAYS_PULLED = pulls.KEPT.days - 1  # what is forgotten keeps nothing
FEWEST_DAYS_BACK = 1
COLLECTION = "registry"  # one at a time


@command("image.protect_tags", permission="project.manage")
def protect_tags(actor: Actor, project: Project, *, repositories: str, tags: str) -> TagRule:
    """Tags that fit never move from now on. Both are patterns with `*` and `?`, repositories within the project."""
    _check(_patterns(repositories=repositories, tags=tags))
    _check_number(TagRule.objects.filter(project=project).count())
    try:
        with transaction.atomic():
            return TagRule.objects.create(
                tenant_id=project.tenant_id, project=project, repositories=repositories, tags=tags, made_by=actor.name
            )
    except IntegrityError:
        raise _there() from None


@command("image.free_tags", permission="project.manage")
def free_tags(actor: Actor, rule: TagRule) -> None:
    """They may move again."""
    describe(before={"repositories": rule.repositories, "tags": rule.tags})
    TagRule.objects.filter(pk=rule.pk).delete()


@command("image.retain", permission="image.delete")
def retain(
    actor: Actor,
    project: Project,
    *,
    repositories: str,
    newest: int | None = None,
    days: int | None = None,
    pulled_days: int | None = None,
    tags: str = "",
    deployed_days: int = 90,
) -> RetentionRule:
    """Keep in these repositories the `newest`, what was pushed or pulled within so many days, tags that fit, no more.

    What runs, what was deployed within `deployed_days` and what has a tag that never moves stays in any case.
    """
    wrong = _patterns(repositories=repositories, **({"tags": tags} if tags else {}))
    wrong += _ranges(newest=(newest, 1, MOST_KEPT), days=(days, 1, MOST_DAYS))
    wrong += _ranges(pulled_days=(pulled_days, 1, MOST_DAYS_PULLED))
    wrong += _ranges(deployed_days=(deployed_days, FEWEST_DAYS_BACK, MOST_DAYS))
    if newest is None and days is None and pulled_days is None and not tags:
        wrong.append(FieldProblem("newest", "required", _("Say at least one thing that is to stay.")))
    _check(wrong)
    _check_number(RetentionRule.objects.filter(project=project).count())
    try:
        with transaction.atomic():
            return RetentionRule.objects.create(
                tenant_id=project.tenant_id, project=project, repositories=repositories, newest=newest, days=days,
                pulled_days=pulled_days, tags=tags, deployed_days=deployed_days, made_by=actor.name,
            )  # fmt: skip
    except IntegrityError:
        raise _there() from None


@command("image.retain_all", permission="image.delete")
def retain_all(actor: Actor, rule: RetentionRule) -> None:
    """Take a rule away: what it alone was about stays."""
    names = ("repositories", "newest", "days", "pulled_days", "tags", "deployed_days")
    describe(before={name: getattr(rule, name) for name in names})
    RetentionRule.objects.filter(pk=rule.pk).delete()


@command("image.clean", permission="image.delete")
def clean(actor: Actor, project: Project) -> Operation:
    """Delete now what no rule keeps, as is done by itself each day."""
    if not RetentionRule.objects.filter(project=project).exists():
        raise Conflict(_("There is no rule by which anything goes."), hint=_("Make a rule first."))
    return start_cleaning(actor, project)


@command("registry.collect", permission="cluster.manage")
def collect(actor: Actor, target: None = None) -> Operation:
    """Take out of the registry what no image names any more. Nothing is pushed meanwhile."""
    if not settings.REGISTRY["url"]:
        raise Conflict(
            _("There is no registry here."), hint=_("./berth up starts one; the operators' guide tells how.")
        )
    return enqueue(
        actor,
        COLLECT,
        target=None,
        target_key=COLLECTION,
        target_name=COLLECTION,
        params={"kind": COLLECT.removesuffix(".run"), "needs": ["cluster.manage"]},
    )


def _patterns(**patterns: str) -> list[FieldProblem]:
    message = _("Write a name, with * for any characters and ? for one.")
    return [
        FieldProblem(name, "bad_pattern", message)
        for name, text in patterns.items()
        if not FORM.match(text) or len(text) > (128 if name == "tags" else 200) or text.count("*") > 5
    ]


def _ranges(**numbers: tuple[int | None, int, int]) -> list[FieldProblem]:
    return [
        FieldProblem(name, "out_of_range", _("A number from %(least)s to %(most)s.") % {"least": least, "most": most})
        for name, (number, least, most) in numbers.items()
        if number is not None and not least <= number <= most
    ]


def _check(wrong: list[FieldProblem]) -> None:
    if wrong:
        raise Invalid(errors=wrong)


def _check_number(count: int) -> None:
    if count >= MOST_RULES:
        raise Conflict(_("There are %(count)s rules already.") % {"count": count}, hint=_("Take one away first."))


def _there() -> Conflict:
    return Conflict(
        _("There is such a rule already."), code="name_taken", hint=_("Take the old one away to change it.")
    )
