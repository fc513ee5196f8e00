"""What people do with registries elsewhere. Each public function is a command; what takes time is an operation."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, check_unchanged
from core.clock import database_now
from core.errors import Changed, Conflict, FieldProblem, Invalid, TooMany
from core.names import RULE, is_label
from core.secrets import Secret
from images.registry import names
from images.replication import references, schedule
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun
from images.replication.references import is_name
from images.replication.starting import COPY, start, start_run
from operations.models import Operation
from tenants.models import Project

MOST_REGISTRIES, MOST_RULES, MOST_COPIES = 50, 50, 20
SLOWEST = 64  # kilobytes a second
MANAGE, PUSH = "project.manage", "image.push"
RULE_FIELDS = (
    "direction", "remote_path", "names", "tags", "labels", "schedule", "on_push", "conflict", "kilobytes_per_second",
    "paused",
)  # fmt: skip


@command("registry.add", permission=MANAGE)
def add_registry(
    actor: Actor, project: Project, *, name: str, address: str, signs_in_at: str, user: str, secret: Secret
) -> RemoteRegistry:
    """Keep how a registry elsewhere is reached. It was asked before (connecting.py)."""
    if RemoteRegistry.objects.filter(project=project).count() >= MOST_REGISTRIES:
        raise Conflict(_("The project has as many registries as it may have."), code="too_many_registries")
    row = RemoteRegistry(
        tenant_id=project.tenant_id, project=project, name=name, address=address, signs_in_at=signs_in_at, user=user,
    )  # fmt: skip
    row.secret = secret
    _save_named(row)
    describe(target=row, after=_shown(row))
    return row


@command("registry.update", permission=MANAGE)
def update_registry(
    actor: Actor,
    registry: RemoteRegistry,
    *,
    address: str,
    signs_in_at: str,
    user: str,
    secret: Secret,
    version: int | None = None,
) -> RemoteRegistry:
    before = _shown(registry)
    columns = {"address": address, "signs_in_at": signs_in_at, "user": user, "secret": secret}
    _change(registry, version, columns)
    describe(before=before, after=_shown(registry), detail={"secret_given": bool(secret)})
    return registry


@command("registry.remove", permission=MANAGE)
def remove_registry(actor: Actor, registry: RemoteRegistry) -> None:
    """Forget it with its password. What was copied stays; what is on its way from there fails."""
    used = registry.rules.order_by("name").values_list("name", flat=True).first()
    if used:
        message = _("The replication rule %(rule)s still uses this registry.") % {"rule": used}
        raise Conflict(message, code="in_use", hint=_("Remove the rule first."))
    describe(before=_shown(registry))
    registry.delete()


@command("image.copy", permission=PUSH)
def copy_image(actor: Actor, project: Project, *, image: str, name: str, tag: str = "") -> ImageCopy:
    """Begin to copy an image from elsewhere into the project's repository `name`.

    `image` as people write it: with its host, and a tag or a digest. Without `tag` it keeps the one it has there.
    """
    if not names.address():
        raise Conflict(_("There is no registry here to copy to."), code="no_registry")
    asked, path = references.read(image), references.path_here(project, name)
    references.checked_tag(tag)
    if ImageCopy.objects.filter(project=project, run=None, rule=None, state__in=ImageCopy.OPEN).count() >= MOST_COPIES:
        raise TooMany(_("Many images are being copied here already."), hint=_("Wait until some of them are done."))
    registry = next((one for one in RemoteRegistry.objects.filter(project=project) if _is_at(one, asked.host)), None)
    copy = ImageCopy(
        tenant_id=project.tenant_id,
        project=project,
        registry=registry,
        host=asked.host,
        remote=asked.name,
        path=path,
        reference=asked.reference,
        tag=tag or ("" if ":" in asked.reference else asked.reference),
    )
    copy.save(force_insert=True)
    copy.operation = start(actor, copy, kind=COPY, name=f"{copy} → {path}", needs=PUSH)
    copy.save(update_fields=["operation"])
    describe(after={"to": path, "tag": copy.tag, "registry": registry.name if registry else ""})
    return copy


@command("replication.create", permission=MANAGE)
def create_rule(
    actor: Actor, project: Project, *, name: str, registry: RemoteRegistry, given: dict[str, Any]
) -> ReplicationRule:
    if ReplicationRule.objects.filter(project=project).count() >= MOST_RULES:
        raise Conflict(_("The project has as many replication rules as it may have."), code="too_many_rules")
    row = ReplicationRule(tenant_id=project.tenant_id, project=project, name=name, registry=registry)
    for field, value in _checked_rule(row, given).items():
        setattr(row, field, value)
    _save_named(row)
    describe(target=row, after=_shown_rule(row))
    return row


@command("replication.update", permission=MANAGE)
def update_rule(
    actor: Actor, rule: ReplicationRule, *, given: dict[str, Any], version: int | None = None
) -> ReplicationRule:
    """Change it, pause it or let it go on. What runs now ends as it began."""
    before = _shown_rule(rule)
    _change(rule, version, _checked_rule(rule, given))
    describe(before=before, after=_shown_rule(rule))
    return rule


@command("replication.remove", permission=MANAGE)
def remove_rule(actor: Actor, rule: ReplicationRule) -> None:
    """With its log. What was copied stays at both ends."""
    if rule.runs.filter(operation__state__in=Operation.ACTIVE).exists():
        raise Conflict(_("The rule is being followed just now."), code="operation_active", hint=_("Cancel that first."))
    describe(before=_shown_rule(rule))
    rule.delete()


@command("replication.run", permission=MANAGE)
def run_rule(actor: Actor, rule: ReplicationRule) -> ReplicationRun:
    """Follow it now, also while it is paused."""
    run = start_run(actor, rule)
    describe(after={"run": str(run.pk)})
    return run


def _checked_rule(row: ReplicationRule, given: dict[str, Any]) -> dict[str, Any]:
    """The columns as they will be. Errors: Invalid with every field that is wrong."""
    columns = {name: given.get(name, getattr(row, name)) for name in RULE_FIELDS}
    problems = []
    message = _("Use letters, digits, hyphens, dots and slashes, * for any of them and ? for one.")
    problems += [
        FieldProblem(f, "bad_pattern", message) for f in ("names", "tags") if not references.is_pattern(columns[f])
    ]
    if columns["remote_path"]:
        columns["remote_path"] = columns["remote_path"].strip("/")
        if not is_name(columns["remote_path"]):
            problems.append(FieldProblem("remote_path", "bad_name", _("This cannot stand before a repository’s name.")))
    limit = columns["kilobytes_per_second"]
    if limit is not None and limit < SLOWEST:
        least = _("At least %(least)s kilobytes a second.") % {"least": SLOWEST}
        problems.append(FieldProblem("kilobytes_per_second", "too_small", least))
    if columns["on_push"] and columns["direction"] == ReplicationRule.Direction.PULL:
        text = _("Nothing tells us of pushes there; use a schedule.")
        problems.append(FieldProblem("on_push", "not_fitting", text))
    if problems:
        raise Invalid(errors=problems)
    columns["schedule"] = schedule.checked(columns["schedule"])
    columns["next_at"] = schedule.next_after(columns["schedule"], database_now())
    return columns


def _change(row: RemoteRegistry | ReplicationRule, version: int | None, columns: dict[str, Any]) -> None:
    """One conditional UPDATE, so that of two changes on top of the same version one is refused."""
    check_unchanged(row, version)
    rows = type(row)._default_manager.filter(pk=row.pk, version=row.version)
    if not rows.update(version=F("version") + 1, updated_at=Now(), **columns):
        raise Changed()
    row.refresh_from_db()


def _save_named(row: RemoteRegistry | ReplicationRule) -> None:
    if not is_label(row.name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("There is something of this name already."), code="name_taken") from None


def _is_at(registry: RemoteRegistry, host: str) -> bool:
    return registry.address.partition("://")[2] == host


def _shown(row: RemoteRegistry) -> dict[str, Any]:
    return {"address": row.address, "signs_in_at": row.signs_in_at, "user": row.user, "secret_kept": bool(row.secret)}


def _shown_rule(row: ReplicationRule) -> dict[str, Any]:
    return {name: getattr(row, name) for name in RULE_FIELDS} | {"registry": row.registry.name}
