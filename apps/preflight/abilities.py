"""What a specification asks for that its cluster does in another way."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from apps.preflight.finding import Finding
from apps.preflight.plan import Plan, at
from apps.specification.service import Service
from backends.registry import capabilities_of


def check_abilities(plan: Plan) -> Iterator[Finding]:
    can = capabilities_of(plan.place.environment.cluster)
    for name, service in plan.spec.services.items():
        if not can.names_users and not _is_number(service.user or ""):
            yield _user(plan, name, service)
        policy = service.deploy.restart_policy
        if not can.restart_policies and policy is not None and policy.condition != "any":
            yield _restarts(plan, name)


def _is_number(user: str) -> bool:
    return all(part.isdigit() for part in user.split(":") if part)


def _user(plan: Plan, name: str, service: Service) -> Finding:
    words = {"service": name, "user": service.user, "cluster": plan.place.environment.cluster.name}
    text = _("%(service)s runs as the user %(user)s; on %(cluster)s a user has to be written as a number.") % words
    hint = _("Write it as a number, such as 1000:1000, or take it out to run as the image says.")
    path = at(name, "user")
    return Finding("bad", "user_not_a_number", text, path, hint, {path: None}, _("Take it out"))


def _restarts(plan: Plan, name: str) -> Finding:
    words = {"service": name, "cluster": plan.place.environment.cluster.name}
    text = _("Instances of %(service)s that end are always started again on %(cluster)s.") % words
    hint = _("The restart policy stays in the release for clusters that keep to it.")
    path = at(name, "deploy", "restart_policy", "condition")
    return Finding("warn", "always_restarted", text, path, hint, {path: "any"}, _("Restart always"))
