"""Ports, names and health checks: is it reached, and does somebody notice when it is not well?"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from apps.models import ServiceName
from apps.preflight.finding import Finding
from apps.preflight.plan import Plan, at
from apps.specification import parse_image

# programs that say by themselves whether they are well, by the last part of their image's name
COMMANDS = {
    "postgres": ["CMD-SHELL", "pg_isready -U postgres"],
    "redis": ["CMD", "redis-cli", "ping"],
    "valkey": ["CMD", "valkey-cli", "ping"],
    "mysql": ["CMD", "mysqladmin", "ping", "-h", "127.0.0.1"],
    "mariadb": ["CMD", "healthcheck.sh", "--connect"],
    "rabbitmq": ["CMD", "rabbitmq-diagnostics", "-q", "ping"],
    "mongo": ["CMD", "mongosh", "--quiet", "--eval", "db.adminCommand('ping')"],
}
WEB_SERVERS = {"httpd", "caddy", "traefik/whoami"}


def check_ports(plan: Plan) -> Iterator[Finding]:
    """The host's port is the engine's choice, so none can be taken; but a port may be one nobody listens on."""
    listening: dict[str, list[str]] = defaultdict(list)
    for name, service in plan.spec.services.items():
        for port in service.published_ports:
            listening[port.short()].append(name)
        yield from _not_in_image(plan, name)
    if listening:
        ports = ", ".join(f"{'/'.join(names)} :{port}" for port, names in listening.items())
        text = _("Published: %(ports)s. Free ports of the hosts are chosen for them.") % {"ports": ports}
        shared = [port for port, names in listening.items() if len(names) > 1]
        hint = _("Each service gets an address of its own for port %(ports)s.") % {"ports": ", ".join(shared)}
        yield Finding("ok", "ports", text, hint=hint if shared else "")


def _not_in_image(plan: Plan, name: str) -> Iterator[Finding]:
    artifact = plan.artifacts[name]
    own = list(artifact.ports) if artifact else []
    service = plan.spec.services[name]
    odd = [port.short() for port in service.published_ports if f"{port.target}/{port.protocol}" not in own]
    if not own or not odd:
        return
    declared = [port.removesuffix("/tcp") for port in own]
    words = {"service": name, "ports": ", ".join(odd), "own": ", ".join(declared)}
    text = _("%(service)s publishes %(ports)s; its image says it listens on %(own)s.") % words
    hint = _("Keep it if a setting makes the program listen there.")
    wanted = [port.canonical() for port in service.published_ports if port.short() not in odd]
    wanted += [_port(port) for port in own if _port(port) not in wanted]
    button = _("Use port %(ports)s") % {"ports": ", ".join(declared)}
    yield Finding("warn", "port_not_in_image", text, at(name, "ports"), hint, {at(name, "ports"): wanted}, button)


def _port(written: str) -> dict[str, object]:
    number, _slash, protocol = written.partition("/")
    return {"target": int(number), "protocol": protocol or "tcp"}


def check_names(plan: Plan) -> Iterator[Finding]:
    """A short name belongs to the first app that asked for it; the long one always works, so nothing is to mend."""
    place = plan.place
    others = ServiceName.objects.filter(environment=place.environment, name__in=list(plan.spec.services))
    for row in others.exclude(app_id=place.app_id).select_related("app"):
        words = {"name": row.name, "app": row.app.name, "long": f"{place.app.name or _('app')}-{row.name}"}
        text = _("“%(name)s” already means a service of %(app)s here; this one answers to “%(long)s”.") % words
        yield Finding("warn", "name_held", text, at(row.name))


def check_health(plan: Plan) -> Iterator[Finding]:
    """Where our list knows the image; of others nobody can say whether they bring a check."""
    for name, service in plan.spec.services.items():
        artifact = plan.artifacts[name]
        if artifact is None or service.healthcheck or service.x_berth.health or artifact.health:
            continue
        text = _("%(service)s has no health check: an instance counts as running as soon as it has started.")
        hint = _("With one, an update never replaces a working instance by a broken one.")
        mend = sensible_check(plan, name)
        yield Finding(
            "warn", "no_health_check", text % {"service": name}, at(name, "healthcheck"), hint, mend,
            _("Add one") if mend else "",
        )  # fmt: skip


def sensible_check(plan: Plan, name: str) -> dict[str, Any]:
    """A check that fits the program or its first TCP port, as a mend; nothing where neither is known."""
    service, artifact = plan.spec.services[name], plan.artifacts[name]
    program = parse_image(service.image).repository.removeprefix("library/")
    if command := COMMANDS.get(program.rpartition("/")[2]):
        return {at(name, "healthcheck"): {"test": command}}
    ports = [port.target for port in service.published_ports if port.protocol == "tcp"]
    own = [int(port.partition("/")[0]) for port in (artifact.ports if artifact else []) if port.endswith("/tcp")]
    if not own and not ports:
        return {}
    port = next((one for one in own if one in ports), (own or ports)[0])
    kind = {"http": {"port": port, "path": "/"}} if program in WEB_SERVERS else {"tcp": {"port": port}}
    return {at(name, "x-berth", "health"): kind}
