"""What stages ask for, and asking, answering and withdrawing. Each public function is a command."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, check_unchanged
from core.clock import from_now
from core.errors import Changed, Conflict, Denied, FieldProblem, Invalid
from images.happening import Happened, tell
from images.models import Artifact, Repository
from images.promotion import granting, rating, selectors, telling, words
from images.promotion.models import (
    MOST_APPROVERS,
    MOST_DAYS,
    Approval,
    Decision,
    Evidence,
    Promotion,
    Stage,
    StagePolicy,
)
from images.promotion.standing import holds
from images.scanning.rating import LETTERS
from tenants.models import Project, User
from tenants.requests.models import OPEN_FOR
from tenants.robots.models import Robot

MOST_TAGS = 20
Needs = tuple[str, ...]


@command("promotion.set_policy", permission="project.manage")
def set_policy(
    actor: Actor,
    project: Project,
    *,
    stage: str,
    approvers: int = 1,
    rating: str = "",
    valid_days: int | None = None,
    version: int | None = None,
) -> StagePolicy:
    """From now on a stage takes approved images only. What is approved already and does not pass is suspended."""
    _check_policy(stage, approvers, rating, valid_days)
    asked: dict[str, Any] = {"approvers": approvers, "rating": rating, "valid_days": valid_days}
    row = StagePolicy.objects.select_for_update().filter(project=project, stage=stage).first()
    if row is None:
        row, made = StagePolicy.objects.get_or_create(
            project=project, stage=stage, defaults={"tenant_id": project.tenant_id, **asked}
        )
        if not made:
            raise Changed()
    else:
        check_unchanged(row, version)
        describe(before={name: getattr(row, name) for name in asked})
        StagePolicy.objects.filter(pk=row.pk).update(version=F("version") + 1, updated_at=Now(), **asked)
    describe(after=asked, detail={"stage": stage})
    row.refresh_from_db()
    granting.suspend_unfit(row)
    telling.policy_changed(actor, project, stage)
    return row


@command("promotion.end_policy", permission="project.manage")
def end_policy(actor: Actor, project: Project, *, stage: str) -> None:
    """A stage takes every image again. Approvals stay, and count again with the next policy."""
    row = StagePolicy.objects.filter(project=project, stage=stage).first()
    if row is None:
        raise Conflict(_("This stage takes every image already."), code="no_policy")
    describe(before={"stage": stage, "approvers": row.approvers, "rating": row.rating, "valid_days": row.valid_days})
    row.delete()
    telling.policy_changed(actor, project, stage)


@command("promotion.ask", permission="image.promote")
def ask(actor: Actor, project: Project, *, stage: str, artifact: Artifact, reason: str = "") -> Promotion:
    """Ask that an image may run in a stage; those who may approve are told at once."""
    _check_askable(project, stage, artifact)
    Promotion.objects.filter(
        project=project, stage=stage, digest=artifact.digest, state="open", expires_at__lte=Now()
    ).update(state=Promotion.State.EXPIRED, ended_at=Now())
    asker = _person(actor)
    home = artifact.repository
    try:
        with transaction.atomic():
            made = Promotion.objects.create(
                tenant_id=project.tenant_id, project=project, stage=stage, digest=artifact.digest, name=home.name,
                path=home.path, tags=list(artifact.tags.order_by("name").values_list("name", flat=True)[:MOST_TAGS]),
                asked_by=asker, asked_by_name=actor.name, reason=reason, expires_at=from_now(OPEN_FOR),
            )  # fmt: skip
    except IntegrityError:
        text = _("Somebody asked for this already, and it waits for an answer.")
        raise Conflict(text, code="asked_already", hint=_("Look at the open request.")) from None
    made.refresh_from_db()
    describe(after={"promotion": str(made.pk), "stage": stage, "image": made.name, "digest": made.digest})
    telling.asked(made)
    return made


@command("promotion.withdraw", permission="image.promote")
def withdraw(actor: Actor, promotion: Promotion) -> Promotion:
    """Take back what one asked for oneself."""
    if promotion.asked_by_id != actor.id:
        raise Denied(_("A request is withdrawn by the person who asked."))
    row = _open(promotion)
    _end(row, Promotion.State.WITHDRAWN)
    return row


@command("promotion.approve", permission="image.approve")
def approve(actor: Actor, promotion: Promotion, *, reason: str = "") -> Promotion:
    """Say that an image may run there. With the last answer that is needed, it may."""
    row = _open(promotion)
    policy = _policy(row)
    scan = rating.seen(rating.scan_of(row.project_id, row.digest, row.name))
    _check_decider(actor, row)
    if code := rating.objection(policy.rating, scan):
        text = words.objection(code, stage=row.get_stage_display(), limit=policy.rating, scan=scan)
        raise Conflict(text, code="scan_objects", hint=_("Scan it, or use an image in which this is mended."))
    _check_before(row.project, row.stage, row.digest)
    _decide(actor, row, approves=True, reason=reason, scan=scan)
    if row.decisions.filter(approves=True).count() >= policy.approvers:
        _end(row, Promotion.State.APPROVED)
        granting.grant(row, policy)
        _tell_of(row, "promoted", actor)
        telling.decided(row, actor, reason)
    return row


@command("promotion.refuse", permission="image.approve")
def refuse(actor: Actor, promotion: Promotion, *, reason: str = "") -> Promotion:
    """Say that it may not; one such answer is enough."""
    row = _open(promotion)
    _check_decider(actor, row)
    _decide(
        actor,
        row,
        approves=False,
        reason=reason,
        scan=rating.seen(rating.scan_of(row.project_id, row.digest, row.name)),
    )
    _end(row, Promotion.State.REFUSED)
    telling.decided(row, actor, reason)
    return row


@command("promotion.suspend", permission="image.approve")
def suspend(actor: Actor, approval: Approval, *, reason: str) -> Approval:
    """Withdraw an approval: what runs keeps running, and nothing starts by it any more."""
    if not reason.strip():
        raise Invalid(errors=[FieldProblem("reason", "required", _("Say why: everybody concerned reads it."))])
    if not Approval.objects.filter(holds(), pk=approval.pk).exists():
        raise Conflict(_("This approval does not hold any more."), code="not_approved")
    why = {"code": words.BY_PERSON, "params": {"person": actor.name, "reason": reason.strip()}}
    describe(detail={"stage": approval.stage, "image": approval.name, "digest": approval.digest})
    granting.suspend(approval, why, actor)
    approval.refresh_from_db()
    return approval


def _may_attach(project: Project) -> Needs:
    return ("app.test", "image.promote", "image.approve")


@command("promotion.attach", permission=_may_attach)
def attach(actor: Actor, project: Project, *, digest: str, kind: str, passed: bool, text: str) -> Evidence:
    """Add what came of trying an image to its passport; it is never changed."""
    text = text.strip()
    problems = []
    if kind not in Evidence.Kind.values:
        problems.append(FieldProblem("kind", "unknown", _("Choose one of the ways that are offered.")))
    if not text:
        problems.append(FieldProblem("text", "required", _("Say what was tried and what came of it.")))
    if kind == Evidence.Kind.LINK and not text.startswith(("https://", "http://")):
        problems.append(FieldProblem("text", "not_an_address", _("An address begins with https:// or http://.")))
    if kind == Evidence.Kind.FILE and not granting.DIGEST.match(text):
        problems.append(FieldProblem("text", "not_a_digest", _("A digest is “sha256:” and 64 digits from 0 to f.")))
    if problems:
        raise Invalid(errors=problems)
    describe(after={"digest": digest, "passed": passed, "kind": kind, "text": text[:200]})
    return Evidence.objects.create(
        tenant_id=project.tenant_id, project=project, digest=digest, kind=kind, passed=passed, text=text[:2000],
        added_by_name=actor.name,
    )  # fmt: skip


def _tell_of(row: Promotion, kind: Any, actor: Actor) -> None:
    """Whoever listens to what happens to images; of one that lies in no list any more nobody is told."""
    home = Repository.objects.filter(name=row.name).first()
    if home is not None:
        tell(Happened(kind, home, row.digest, actor, detail={"stage": row.stage, "project": str(row.project)}))


def _check_policy(stage: str, approvers: int, rating: str, valid_days: int | None) -> None:
    problems = []
    if stage not in Stage.values:
        problems.append(FieldProblem("stage", "unknown", _("There is no such stage.")))
    if not 1 <= approvers <= MOST_APPROVERS:
        text = _("Between 1 and %(most)s people can be asked to approve.") % {"most": MOST_APPROVERS}
        problems.append(FieldProblem("approvers", "out_of_range", text))
    if rating and rating not in LETTERS:
        problems.append(FieldProblem("rating", "unknown", _("A rating is a letter from A to F.")))
    if valid_days is not None and not 1 <= valid_days <= MOST_DAYS:
        text = _("Between 1 and %(most)s days are possible.") % {"most": MOST_DAYS}
        problems.append(FieldProblem("valid_days", "out_of_range", text))
    if problems:
        raise Invalid(errors=problems)


def _check_askable(project: Project, stage: str, artifact: Artifact) -> None:
    if not StagePolicy.objects.filter(project=project, stage=stage).exists():
        text = _("No approval is needed there.")
        raise Conflict(text, code="no_policy", hint=_("Deploy it; or have somebody say what the stage asks for."))
    if Approval.objects.filter(holds(), project=project, stage=stage, digest=artifact.digest).exists():
        raise Conflict(_("This image is approved there already."), code="approved_already")
    _check_before(project, stage, artifact.digest)


def _check_before(project: Project, stage: str, digest: str) -> None:
    """No stage is left out."""
    if missing := selectors.missing_before(project, stage, digest):
        labels = ", ".join(str(Stage(one).label) for one in missing)
        text = _("It has to be approved for %(stages)s first.") % {"stages": labels}
        raise Conflict(text, code="stage_left_out", hint=_("Ask for its promotion there."))


def _person(actor: Actor) -> User:
    if actor.id is None:
        raise Denied()
    return User.objects.get(pk=actor.id)


def _check_decider(actor: Actor, row: Promotion) -> None:
    """Neither who asked, nor who built it, nor a program, and nobody twice."""
    if row.asked_by_id == actor.id:
        raise Denied(_("Nobody decides what they asked for."), hint=_("Somebody else who may decide has to."))
    if actor.name in selectors.builders(row.digest, tenant=row.tenant_id):
        raise Denied(_("Nobody decides on an image they brought."), hint=_("Somebody else who may decide has to."))
    if Robot.objects.filter(user=_person(actor)).exists():
        raise Denied(_("A robot decides nothing."), hint=_("A person who may decide has to."))
    if row.decisions.filter(person_id=actor.id).exists():
        raise _answered()


def _decide(actor: Actor, row: Promotion, *, approves: bool, reason: str, scan: dict[str, Any] | None) -> None:
    try:
        with transaction.atomic():
            Decision.objects.create(
                promotion=row, asked_by_id=row.asked_by_id, person=_person(actor), person_name=actor.name,
                approves=approves, reason=reason, scan=scan,
            )  # fmt: skip
    except IntegrityError:
        raise _answered() from None
    said = {"promotion": str(row.pk), "stage": row.stage, "image": row.name, "digest": row.digest}
    describe(detail=said | {"asked_by": row.asked_by_name, "rating": (scan or {}).get("rating", "")})


def _answered() -> Conflict:
    return Conflict(_("You have answered this already."), code="decided_already", hint=_("Others have to answer now."))


def _open(promotion: Promotion) -> Promotion:
    """The row, locked, as long as it waits for an answer: of two who answer at once, one after the other."""
    rows = Promotion.objects.select_for_update(of=("self",)).select_related("project__tenant", "asked_by")
    row = rows.filter(selectors.open_now(), pk=promotion.pk).first()
    if row is None:
        text = _("This request is not open any more.")
        raise Conflict(text, code="not_open", hint=_("Look at what became of it."))
    return row


def _policy(row: Promotion) -> StagePolicy:
    found = StagePolicy.objects.filter(project_id=row.project_id, stage=row.stage).first()
    if found is None:
        raise Conflict(_("No approval is needed there any more."), code="no_policy", hint=_("Deploy it."))
    return found


def _end(row: Promotion, state: Promotion.State) -> None:
    """Once: whoever comes second is told."""
    changed = Promotion.objects.filter(pk=row.pk, state=Promotion.State.OPEN).update(state=state, ended_at=Now())
    if not changed:
        raise Conflict(_("This request is not open any more."), code="not_open", hint=_("Look at what became of it."))
    row.state = state
    describe(before={"state": "open"}, after={"state": str(state)}, detail={"promotion": str(row.pk)})
    telling.over(row)
