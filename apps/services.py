"""What people do with apps. Each public function is a command: permission, transaction and audit in one place."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps import reserving
from apps.building import specification_of
from apps.gate import refuse_unapproved
from apps.models import App, AppEnvironment, Deployment, Environment, Release, ReleaseImage, ServiceName
from apps.needs import needs_deploy, needs_scale
from apps.pinning import pins_known
from apps.preflight import Finding, preflight
from apps.selectors.offered import check_offered
from apps.selectors.state import wanted_instances
from apps.specification import Specification, with_image
from audit.commands import command, describe
from backends.models import Cluster
from core import access
from core.access import Actor
from core.errors import Conflict, FieldProblem, Invalid
from core.names import RULE, is_label
from operations.models import Operation
from operations.services import enqueue
from tenants.lifecycle import keep_open
from tenants.models import Project
from tenants.quota.claiming import EXCEEDED

MOST_INSTANCES = 1000


@command("app.create", permission="app.deploy")
def create_app(
    actor: Actor,
    project: Project,
    *,
    name: str,
    title: str = "",
    environment: Environment | None = None,
    spec: Specification | None = None,
    note: str = "",
    left_out: Sequence[str] = (),
) -> App:
    """Create an app in a project; with `environment` and `spec` also deploy it there (see `App.first_operation`)."""
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    keep_open(project.pk)  # nor does anybody add an environment meanwhile: the app has a place in each
    try:
        with transaction.atomic():
            app = App.objects.create(tenant_id=project.tenant_id, project=project, name=name, title=title)
    except IntegrityError:
        message = _("An app called “%(name)s” exists in this project.") % {"name": name}
        raise Conflict(
            message, code="name_taken", hint=_("Take another name, or deploy to the app that exists.")
        ) from None
    for stage in project.environments.all():
        AppEnvironment.objects.create(tenant_id=project.tenant_id, project=project, app=app, environment=stage)
    describe(target=app, after={"name": name, "title": title})
    if environment is not None and spec is not None:
        place = app.places.select_related("app", "environment__cluster", "project").get(environment=environment)
        access.check_any(actor, needs_deploy(place), place)
        app.first_operation = _deploy(  # type: ignore[attr-defined]  # handed to the caller only
            actor, place, spec=spec, note=note, left_out=left_out
        )
    return app


@command("app.deploy", permission=needs_deploy)
def deploy(
    actor: Actor,
    place: AppEnvironment,
    *,
    spec: Specification | None = None,
    release: Release | None = None,
    image: str = "",
    service: str = "",
    note: str = "",
    left_out: Sequence[str] = (),
    version: int | None = None,
) -> Operation:
    """Put a new release (from `spec`, or from what runs with another `image`) or an earlier `release` here.

    `left_out`: paths of an imported file that somebody chose to do without; they stand in the audit.
    """
    access.check_unchanged(place, version)
    if release is not None:
        return _change(actor, place, Deployment.Kind.DEPLOY, release=_own(place, release))
    if spec is None:
        spec = _with_image(place, image, service)
    return _deploy(actor, place, spec=spec, note=note, left_out=left_out)


@command("app.rollback", permission=needs_deploy)
def rollback(actor: Actor, place: AppEnvironment, *, release: Release, version: int | None = None) -> Operation:
    """Serve an earlier release again; what it was stays as it was, images by digest included."""
    access.check_unchanged(place, version)
    return _change(actor, place, Deployment.Kind.ROLLBACK, release=_own(place, release))


@command("app.scale", permission=needs_scale)
def scale(
    actor: Actor, place: AppEnvironment, *, service: str, instances: int, version: int | None = None
) -> Operation:
    """Set how many instances of a service run here (0 to 1000)."""
    access.check_unchanged(place, version)
    _check_service(place, service)
    if not 0 <= instances <= MOST_INSTANCES:
        text = _("Between 0 and %(most)s instances are possible.") % {"most": MOST_INSTANCES}
        raise Invalid(errors=[FieldProblem("instances", "out_of_range", text)])
    if place.stopped or instances > wanted_instances(place).get(service, 0):
        refuse_unapproved(place, _running(place), None if place.stopped else [service])
    place_now = place.instances | {service: instances}
    return _change(actor, place, Deployment.Kind.SCALE, instances=place_now, stopped=False)


@command("app.restart", permission=needs_deploy)
def restart(actor: Actor, place: AppEnvironment, *, service: str = "") -> Operation:
    """Replace every instance, one after the other, though nothing else changes."""
    names = [service] if service else list(specification_of(_running(place)).services)
    for name in names:
        _check_service(place, name)
    refuse_unapproved(place, _running(place), names)
    asked = {name: place.restarts.get(name, 0) + 1 for name in names}
    return _change(actor, place, Deployment.Kind.RESTART, restarts=place.restarts | asked)


@command("app.stop", permission=needs_deploy)
def stop(actor: Actor, place: AppEnvironment) -> Operation:
    """End all instances; release, settings and history stay."""
    _running(place)
    if place.stopped:
        raise Conflict(_("It is stopped already."), code="already_stopped", hint=_("Start it to run it again."))
    return _change(actor, place, Deployment.Kind.STOP, stopped=True)


@command("app.start", permission=needs_deploy)
def start(actor: Actor, place: AppEnvironment) -> Operation:
    """Run what was stopped, with as many instances as before."""
    _running(place)
    if not place.stopped:
        raise Conflict(_("It is running already."), code="already_started")
    refuse_unapproved(place, _running(place))
    return _change(actor, place, Deployment.Kind.START, stopped=False)


@command("app.withdraw", permission=needs_deploy)
def withdraw(actor: Actor, place: AppEnvironment) -> Operation:
    """Take the app out of this environment altogether; releases and history stay."""
    _running(place)
    return _change(actor, place, Deployment.Kind.DELETE, release=None)


@command("app.delete", permission="app.delete")
def delete_app(actor: Actor, app: App) -> App:
    """Mark an app as deleted once it runs nowhere; its history stays and its name becomes free."""
    here = app.places.filter(release__isnull=False).select_related("environment")
    if names := [place.environment.name for place in here]:
        raise Conflict(
            _("%(app)s still runs in %(places)s.") % {"app": app.name, "places": ", ".join(names)},
            code="still_running",
            hint=_("Take it out of these environments first."),
        )
    App.objects.filter(pk=app.pk).update(deleted_at=Now(), version=F("version") + 1)
    ServiceName.objects.filter(app=app).delete()
    app.refresh_from_db()
    return app


@command("app.update", permission="app.deploy")
def update_app(actor: Actor, app: App, *, title: str, version: int | None = None) -> App:
    access.check_unchanged(app, version)
    describe(before={"title": app.title}, after={"title": title})
    App.objects.filter(pk=app.pk).update(title=title, version=F("version") + 1, updated_at=Now())
    app.refresh_from_db()
    return app


@command("environment.create", permission="project.manage")
def create_environment(
    actor: Actor, project: Project, *, name: str, stage: str, cluster: Cluster, protected: bool | None = None
) -> Environment:
    """Add a stage at the end of a project; every app of the project gets its place in it."""
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    check_offered(cluster, project.tenant_id)
    keep_open(project.pk)  # nor does anybody add an app meanwhile: each has a place here
    last = project.environments.aggregate(last=Max("position"))["last"] or 0
    try:
        with transaction.atomic():
            made = Environment.objects.create(
                tenant_id=project.tenant_id,
                project=project,
                name=name,
                stage=stage,
                cluster=cluster,
                position=last + 1,
                protected=stage == Environment.Stage.PROD if protected is None else protected,
            )
    except IntegrityError:
        raise Conflict(_("An environment of this name exists."), code="name_taken") from None
    for app in project.apps.filter(deleted_at__isnull=True):
        AppEnvironment.objects.create(tenant_id=project.tenant_id, project=project, app=app, environment=made)
    describe(target=made, after={"name": name, "stage": stage, "protected": made.protected})
    return made


def _running(place: AppEnvironment) -> Release:
    if place.release is None:
        message = _("%(app)s is not deployed to %(environment)s.") % {
            "app": place.app.name,
            "environment": place.environment.name,
        }
        raise Conflict(message, code="not_deployed", hint=_("Deploy it first."))
    return place.release


def _own(place: AppEnvironment, release: Release) -> Release:
    if release.app_id != place.app_id:
        raise Invalid(errors=[FieldProblem("release", "unknown", _("This app has no such release."))])
    return release


def _check_service(place: AppEnvironment, service: str) -> None:
    known = specification_of(_running(place)).services
    if service not in known:
        message = _("There is no service “%(service)s”; there are: %(known)s.") % {
            "service": service,
            "known": ", ".join(sorted(known)),
        }
        raise Invalid(errors=[FieldProblem("service", "unknown", message)])


def _with_image(place: AppEnvironment, image: str, service: str) -> Specification:
    """What runs here with another image in one service, the only one if none is named."""
    if place.release is None:
        hint = _("Send a specification, or name a release.")
        raise Invalid(errors=[FieldProblem("spec", "required", _("Nothing is deployed here yet."), hint)])
    spec = specification_of(place.release)
    if not service and len(spec.services) > 1:
        names = ", ".join(spec.services)
        message = _("Say which service gets the image: %(names)s.") % {"names": names}
        raise Invalid(errors=[FieldProblem("service", "required", message)])
    return with_image(spec, service or next(iter(spec.services)), image)


def _deploy(
    actor: Actor, place: AppEnvironment, *, spec: Specification, note: str = "", left_out: Sequence[str] = ()
) -> Operation:
    if left_out:
        describe(detail={"left_out": list(left_out)})
    findings = preflight(actor, place, spec)
    bad = [finding for finding in findings if finding.level == "bad" and finding.code != EXCEEDED]
    if bad:  # what is over the quota, `reserving.take` refuses in its own words
        raise Invalid(errors=[_problem(finding) for finding in bad])
    return _change(
        actor, place, Deployment.Kind.DEPLOY, release=_new_release(actor, place.app, spec, note), instances={}
    )


def _problem(finding: Finding) -> FieldProblem:
    return FieldProblem(finding.field, finding.code, finding.message, finding.hint)


def _new_release(actor: Actor, app: App, spec: Specification, note: str) -> Release:
    App.objects.select_for_update().get(pk=app.pk)  # numbers follow one another
    last = app.releases.aggregate(last=Max("number"))["last"] or 0
    release = Release.objects.create(
        tenant_id=app.tenant_id,
        project_id=app.project_id,
        app=app,
        number=last + 1,
        specification=spec.canonical(),
        spec_hash=spec.spec_hash,
        note=note,
        created_by=actor.id,
        created_by_name=actor.name,
    )
    for pin in pins_known(app.project, spec):
        ReleaseImage.objects.create(release=release, **pin)
    return release


def _claim_names(place: AppEnvironment, spec: Specification) -> None:
    """`app-service` and, if nobody has it yet, the plain service name."""
    names = [name for service in spec.services for name in (f"{place.app.name}-{service}", service)]
    ServiceName.objects.bulk_create(
        [ServiceName(environment=place.environment, name=name, app=place.app) for name in names if len(name) <= 63],
        ignore_conflicts=True,
    )


def _params(place: AppEnvironment, kind: str, release: Release | None) -> dict[str, Any]:
    """What the operation's row says of itself: which permissions its cancelling needs, too."""
    number = release.number if release else None
    return {"place": str(place.pk), "release": number, "kind": str(kind), "needs": list(needs_deploy(place))}


def _change(actor: Actor, place: AppEnvironment, kind: str, **declared: Any) -> Operation:
    """Declare something else for this place and start the operation that brings it about."""
    keep_open(place.project_id)
    if declared.get("release") is not None:
        refuse_unapproved(place, declared["release"])
    before = {"stopped": place.stopped, "instances": place.instances, "restarts": place.restarts}
    replaced, release = place.release, declared.get("release", place.release)
    if release is not None:
        declared.setdefault("stopped", False if "release" in declared else place.stopped)
        _claim_names(place, specification_of(release))
    AppEnvironment.objects.filter(pk=place.pk).update(
        generation=F("generation") + 1, version=F("version") + 1, updated_at=Now(), **declared
    )
    place.refresh_from_db(fields=["generation", "version", "updated_at", *declared])
    place.release = release  # as it was read already
    operation = enqueue(  # refused while another is active
        actor,
        f"app.{kind}.run",
        target=place,
        target_key=f"place:{place.pk}",
        target_name=str(place),
        params=_params(place, kind, release),
    )
    _write_deployment(actor, place, kind, operation, release=release, replaced=replaced, before=before)
    reserving.take(place)  # late: others of the project and tenant wait for the same rows
    describe(
        target=place,
        before={"release": replaced.number if replaced else None} | before,
        after={name: declared[name] for name in ("stopped", "instances", "restarts") if name in declared}
        | {"release": release.number if release else None},
        detail={"images": [image.reference for image in release.images.all()] if release else []},
    )
    return operation


def _write_deployment(
    actor: Actor,
    place: AppEnvironment,
    kind: str,
    operation: Operation,
    *,
    release: Release | None,
    replaced: Release | None,
    before: dict[str, Any],
) -> None:
    last = place.app.deployments.aggregate(last=Max("number"))["last"] or 0
    Deployment.objects.create(
        tenant_id=place.tenant_id,
        project_id=place.project_id,
        app=place.app,
        place=place,
        environment=place.environment,
        number=last + 1,
        kind=kind,
        release=release,
        replaced=replaced,
        before=before,
        generation=place.generation,
        operation=operation,
        created_by_name=actor.name,
    )
