"""What people do about builds. Each public function is a command; the work itself is an operation."""

import posixpath
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from audit.commands import command, describe
from backends.models import Cluster
from backends.registry import capabilities_of
from core.access import Actor
from core.errors import Conflict, FieldProblem, Invalid, PortalError
from core.foreign import target
from core.secrets import Secret
from images.building import selectors
from images.building.git import REVISION
from images.building.models import Build, Builder, BuildPolicy
from images.building.telling import tell
from images.registry import names
from images.registry.telling import TAG
from images.uploading.models import Upload
from images.uploading.telling import tell as tell_of_upload
from operations.services import cancel as cancel_operation
from operations.services import enqueue
from tenants.models import Project

KIND = "image.build.run"
MOST_TAGS = 10
MOST_OPEN = 20
MOST_ARGUMENTS = 50
RECIPE = re.compile(r"[^\x00-\x1f\x7f\\]{1,300}\Z")
ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
LONGEST_VALUE = 2000


@command("image.build", permission="image.push")
def build_image(
    actor: Actor,
    project: Project,
    *,
    repository: str,
    tags: Sequence[str] = (),
    upload: uuid.UUID | None = None,
    address: str = "",
    revision: str = "",
    user: str = "",
    secret: Secret | None = None,
    recipe: str = "Dockerfile",
    arguments: Mapping[str, str] | None = None,
    network: bool = False,
) -> Build:
    """Build from sources that were uploaded, or from a git address. Build arguments are no place for secrets."""
    cluster = _place(project)
    tags = list(dict.fromkeys(tags)) or ["latest"]
    told: dict[str, Any] = {
        "repository": repository, "tags": tags, "address": address.strip(), "revision": revision, "user": user,
        "secret": secret or None, "recipe": posixpath.normpath(recipe or "Dockerfile"),
        "arguments": dict(arguments or {}), "network": network,
    }  # fmt: skip
    whose = {"tenant_id": project.tenant_id, "project": project, "cluster": cluster}
    build = Build(**whose, owner_id=str(actor.id), owner_name=actor.name[:150], **told)
    _check(build, upload)
    if upload is not None:
        _take_upload(actor, build, upload)
    _begin(actor, build)
    describe(target=build, after={"source": build.source, "tags": tags, "recipe": build.recipe, "network": network})
    tell(build)
    return build


def _begin(actor: Actor, build: Build) -> None:
    build.save(force_insert=True)
    operation = enqueue(
        actor,
        KIND,
        target=build,
        target_key=f"build:{build.pk}",
        target_name=f"{build.project}/{build.repository}",
        params={"kind": "image.build", "needs": ["image.push"], "build": str(build.pk)},
    )
    Build.objects.filter(pk=build.pk).update(operation_id=operation.pk)
    if build.upload_id:
        Upload.objects.filter(pk=str(build.upload_id)).update(operation_id=operation.pk)
    build.refresh_from_db()


def _place(project: Project) -> Cluster:
    """Somewhere to build, somewhere to put it, and not too many waiting already."""
    if not names.address():
        raise Conflict(
            _("There is no registry here, so there is nowhere to put an image."),
            code="no_registry",
            hint=_("An operator can run one."),
        )
    place = selectors.place_for(project)
    if place is None:
        raise Conflict(
            _("No cluster builds images here."),
            code="no_builder",
            hint=_("An operator allows it on a cluster that can; meanwhile build elsewhere and push."),
        )
    if Build.objects.filter(project=project, state__in=Build.OPEN).count() >= MOST_OPEN:
        raise Conflict(
            _("%(most)s builds of this project wait already.") % {"most": MOST_OPEN},
            code="builds_full",
            hint=_("Wait until one has ended, or cancel one."),
        )
    return place.cluster


def _check(build: Build, upload: uuid.UUID | None) -> None:
    problems = []
    if (upload is None) == (not build.address):
        text = _("Give either sources that were uploaded or a git address.")
        problems.append(FieldProblem("address", "not_fitting", text))
    if names.parse(f"{build.project}/{build.repository}") is None:
        text = _("Small letters, digits and single dots, hyphens or underscores between them; “/” parts it.")
        problems.append(FieldProblem("repository", "bad_name", text))
    if len(build.tags) > MOST_TAGS or not all(TAG.match(tag) for tag in build.tags):
        text = _("At most %(most)s tags of letters, digits, dots, hyphens and underscores.") % {"most": MOST_TAGS}
        problems.append(FieldProblem("tags", "bad_name", text))
    if not RECIPE.match(build.recipe) or build.recipe.startswith(("/", "../")):
        text = _("Say where the Dockerfile lies, from the top of the archive or repository.")
        problems.append(FieldProblem("recipe", "bad_name", text))
    given = build.arguments
    if len(given) > MOST_ARGUMENTS or not all(
        ARGUMENT.match(name) and len(value) <= LONGEST_VALUE and "\0" not in value for name, value in given.items()
    ):
        text = _("A build argument is a name of letters, digits and underscores, =, and a value on the same line.")
        problems.append(FieldProblem("arguments", "bad_name", text))
    if build.network and not selectors.may_reach_others(build.project):
        text = _("Builds of this project do not reach the network; an owner of the tenant allows it.")
        problems.append(FieldProblem("network", "not_allowed", text))
    problems += _address_problems(build) if build.address else []
    if problems:
        raise Invalid(errors=problems)


def _address_problems(build: Build) -> list[FieldProblem]:
    problems = []
    if build.revision and not REVISION.match(build.revision):
        text = _("A branch, a tag or a commit; empty for the one that the address calls its own.")
        problems.append(FieldProblem("revision", "bad_name", text))
    try:
        if not build.address.startswith("https://"):
            raise Invalid(_("Sources are fetched by https alone."), hint=_("Use https://."))
        target(build.address)
    except PortalError as error:
        problems.append(FieldProblem("address", error.code, error.message, error.hint))
    return problems


def _take_upload(actor: Actor, build: Build, upload_id: uuid.UUID) -> None:
    """Sources serve one build; those of another person are not to be used."""
    rows = Upload.objects.filter(pk=upload_id, project=build.project, owner_id=str(actor.id))
    upload = rows.filter(purpose=Upload.Purpose.SOURCES).first()
    if upload is None or not rows.filter(state=Upload.State.READY).update(state=Upload.State.WORKING, writer=""):
        text = _("There are no such sources of yours that wait to be built.")
        raise Invalid(errors=[FieldProblem("upload", "not_found", text)])
    build.upload_id, build.file_name = upload.pk, upload.file_name
    tell_of_upload(upload)


@command("image.build_cancel", permission="image.push", even_closed=True)
def cancel_build(actor: Actor, build: Build) -> Build:
    """Stop it; what runs of it is ended."""
    operation = selectors.operation_of(build)
    if operation is None:
        raise Conflict(_("It has ended already, or is being cancelled."), code="not_cancellable")
    cancel_operation(actor, operation)
    return build


@command("image.build_network", permission="tenant.manage")
def set_network(actor: Actor, project: Project, *, network: bool) -> BuildPolicy:
    """Whether builds of this project may reach the network, where the operator lets any do so."""
    row, _made = BuildPolicy.objects.get_or_create(project=project, defaults={"tenant_id": project.tenant_id})
    describe(before={"network": row.network}, after={"network": network})
    BuildPolicy.objects.filter(pk=row.pk).update(network=network, set_by=actor.name[:150])
    row.refresh_from_db()
    return row


@command("image.builder_allow", permission="cluster.manage")
def allow_builds(actor: Actor, cluster: Cluster, *, network: bool = False) -> Builder:
    """Let projects build on this cluster. `network`: and let tenants say which of them reach others meanwhile."""
    if not capabilities_of(cluster).builds_images:
        raise Conflict(
            _("This cluster cannot build images."), code="no_builder", hint=_("Choose a cluster of another kind.")
        )
    row, _made = Builder.objects.update_or_create(
        cluster=cluster, defaults={"network": network, "allowed_by": actor.name[:150]}
    )
    describe(after={"network": network})
    return row


@command("image.builder_withdraw", permission="cluster.manage")
def withdraw_builder(actor: Actor, cluster: Cluster) -> None:
    """No build begins there any more; the one at work ends as it began."""
    Builder.objects.filter(cluster=cluster).delete()
