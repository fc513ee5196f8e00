"""Who, and where to: rights, and whether the cluster answers."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from apps.models import AppEnvironment, Environment
from apps.needs import needs_deploy
from apps.preflight.finding import Finding
from apps.preflight.plan import Plan
from backends.models import Cluster
from core.access import check, check_any, may
from core.errors import Denied


def check_rights(plan: Plan) -> Iterator[Finding]:
    """The command asks again; here it is told before anything is filled in."""
    try:
        if plan.new:
            check(plan.actor, "app.deploy", plan.place.project)
        check_any(plan.actor, needs_deploy(plan.place), plan.place)
    except Denied as error:
        yield _denied(plan, error)
        return
    text = _("You may deploy to %(environment)s.") % {"environment": plan.place.environment.name}
    yield Finding("ok", "allowed", text, "environment")


def _denied(plan: Plan, error: Denied) -> Finding:
    here = plan.place.environment
    words = {"permission": error.extra.get("permission", ""), "environment": here.name}
    text = _("You may not deploy to %(environment)s: that needs “%(permission)s”.") % words
    others = Environment.objects.filter(project_id=plan.place.project_id).exclude(pk=here.pk).order_by("position")
    open_one = next((one for one in others if _may_deploy(plan, one)), None)
    mend = {"environment": open_one.name} if open_one else {}
    button = _("Deploy to %(environment)s instead") % {"environment": open_one.name} if open_one else ""
    return Finding("bad", "not_allowed", text, "environment", str(error.hint), mend, button)


def _may_deploy(plan: Plan, environment: Environment) -> bool:
    if plan.new and not may(plan.actor, "app.deploy", plan.place.project):
        return False
    return any(may(plan.actor, code, environment) for code in needs_deploy(AppEnvironment(environment=environment)))


def check_cluster(plan: Plan) -> Iterator[Finding]:
    cluster = plan.place.environment.cluster
    if cluster.state == Cluster.State.AWAY:
        text = _("The cluster %(name)s cannot be reached at the moment.") % {"name": cluster.name}
        yield Finding("warn", "cluster_away", text, "environment", _("The deployment waits until it is back."))
    elif not cluster.hosts.filter(ready=True, schedulable=True).exists():
        text = _("Nothing is known yet of the hosts of %(name)s.") % {"name": cluster.name}
        yield Finding(
            "warn", "no_hosts", text, "environment", _("Whether there is room shows when the deployment runs.")
        )
