"""A new project with its environments, all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from apps.models import Environment
from apps.services import create_environment
from backends.models import Cluster
from core.access import Actor
from core.errors import FieldProblem, Invalid, PortalError
from core.names import RULE, is_label
from tenants.models import Project, Tenant
from tenants.services import create_project

MOST_STAGES = 20
DEFAULT = (Environment.Stage.DEV, Environment.Stage.TEST, Environment.Stage.PROD)


@dataclass(frozen=True)
class Stage:
    """One environment of a project that is about to be made."""

    name: str
    stage: str
    cluster: Cluster
    protected: bool | None = None


def make_project(actor: Actor, tenant: Tenant, *, name: str, title: str = "", stages: Sequence[Stage] = ()) -> Project:
    """`project.create`, then `environment.create` of each stage in order. A refusal stays in the audit."""
    _check_names(stages)
    with transaction.atomic():
        try:
            project = create_project(actor, tenant, name=name, title=title)
        except PortalError as error:
            refused = error  # raised below: here it would take its own entry with it
        else:
            for one in stages:
                create_environment(
                    actor, project, name=one.name, stage=one.stage, cluster=one.cluster, protected=one.protected
                )
            return project
    raise refused


def _check_names(stages: Sequence[Stage]) -> None:
    wrong = [
        FieldProblem(f"environments[{place}].name", "bad_name", RULE)
        for place, one in enumerate(stages)
        if not is_label(one.name)
    ]
    names = [one.name for one in stages]
    wrong += [
        FieldProblem(f"environments[{place}].name", "name_taken", _("An environment of this name exists."))
        for place, name in enumerate(names)
        if name in names[:place]
    ]
    if wrong:
        raise Invalid(errors=wrong)
