"""Variables, secrets and limits: what the program is given."""

from collections.abc import Iterator

from django.db.models import Max
from django.utils.translation import gettext as _

from apps.models import AppEnvironment
from apps.preflight.finding import Finding
from apps.preflight.plan import Plan, at
from apps.specification.problems import path_of
from core.wording import bytes_text

MIB = 1 << 20


def check_secrets(plan: Plan) -> Iterator[Finding]:
    hint = _("Take it out, or wait for a version of Berth that keeps secrets.")
    for name, service in plan.spec.services.items():
        if service.secrets:
            used = ", ".join(sorted({use.source for use in service.secrets}))
            text = _("%(service)s wants the secret %(secrets)s; secrets cannot be given to an app yet.")
            words, path = {"service": name, "secrets": used}, at(name, "secrets")
            yield Finding("bad", "secret_not_set", text % words, path, hint, {path: None}, _("Take it out"))


def check_variables(plan: Plan) -> Iterator[Finding]:
    """An empty variable is mostly one that somebody meant to fill in."""
    for name, service in plan.spec.services.items():
        empty = [key for key, value in service.environment.items() if not value.strip()]
        if not empty:
            continue
        values, said = _values_elsewhere(plan, name, empty)
        words = {"names": ", ".join(empty[:6]), "service": name}
        text = _("%(names)s of %(service)s has no value.") % words
        places = {key: f"spec.{path_of(('services', name, 'environment', key))}" for key in empty}
        mend = {places[key]: values.get(key) for key in (values or empty)}
        button = _("Take the value of %(where)s") % {"where": said} if values else _("Take it out")
        yield Finding("warn", "variable_empty", text, places[empty[0]], said and _hint(values), mend, button)


def _hint(values: dict[str, str]) -> str:
    shown = ", ".join(f"{key}={value[:40]}" for key, value in values.items())
    return _("There it is %(values)s.") % {"values": shown}


def _values_elsewhere(plan: Plan, service: str, names: list[str]) -> tuple[dict[str, str], str]:
    """The values of the same app in the environment, of those where it runs, that knows most of them."""
    rows = AppEnvironment.objects.filter(app_id=plan.place.app_id, release__isnull=False)
    best: tuple[dict[str, str], str] = ({}, "")
    for row in rows.select_related("release", "environment").order_by("environment__position"):
        if row.environment.protected and not plan.place.environment.protected:
            continue  # values of production do not come down by a button
        kept = (
            (row.release.specification["services"].get(service) or {}).get("environment") or {} if row.release else {}
        )
        found = {name: kept[name] for name in names if kept.get(name, "").strip()}
        if len(found) > len(best[0]):
            best = found, row.environment.name
    return best


def check_limits(plan: Plan) -> Iterator[Finding]:
    """A memory limit below what an instance uses at this moment ends it soon after it has started."""
    used = _memory_used(plan)
    for name, service in plan.spec.services.items():
        limit, now = service.deploy.resources.limits.memory, used.get(name, 0)
        if limit is None or limit >= now:
            continue
        words = {"service": name, "limit": bytes_text(limit), "now": bytes_text(now)}
        text = _("%(service)s may use %(limit)s of memory, but an instance of it uses %(now)s now.") % words
        enough = -(-now * 5 // 4 // (64 * MIB)) * 64
        path = at(name, "deploy", "resources", "limits", "memory")
        button = _("Allow %(amount)s") % {"amount": bytes_text(enough * MIB)}
        hint = _("It would be ended when it comes to its limit.")
        yield Finding("warn", "limit_below_use", text, path, hint, {path: f"{enough}Mi"}, button)


def _memory_used(plan: Plan) -> dict[str, int]:
    """The most that a running instance of each service uses, as far as that has been measured."""
    if plan.runs is None:
        return {}
    rows = plan.place.observed_instances.filter(wanted=True, memory_bytes__isnull=False)
    return dict(rows.values_list("service").annotate(most=Max("memory_bytes")))
