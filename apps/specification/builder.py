"""From a specification to what an engine is asked to run.

The only builder: deploy, rollback, scale and import use it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from apps.specification import deploy as kept
from apps.specification.deploy import MOST_INSTANCES
from apps.specification.files import FileUse
from apps.specification.health import Rhythm
from apps.specification.image_reference import is_pinned
from apps.specification.model import Specification
from apps.specification.ordering import layers_of
from apps.specification.problems import Problem, SpecificationError, problem
from apps.specification.service import Service
from backends.contract.spec import (
    FileMount,
    HealthCheck,
    Port,
    Resources,
    RestartPolicy,
    ServiceRef,
    ServiceSpec,
    TmpfsMount,
    UpdatePolicy,
    VolumeMount,
)

NameOfVolume = Callable[[str], str]
NameOfFile = Callable[[Literal["config", "secret"], str, bytes], str]


@dataclass(frozen=True)
class BuildContext:
    """All the builder needs besides the specification.

    `environment` and `app` are engine names. `pinned`: service to pinned image (name@sha256:... or an image id),
    one for each service. `instances` overrides the specification's number, `stopped` makes every number 0.
    `aliases`: names a service is found by, its own name when absent. `restarts`: how often all instances were
    asked to be replaced. `volume_name(name)` and `file_name(kind, name, content)` make engine names. `secrets`:
    name to value.
    """

    environment: str
    app: str
    pinned: Mapping[str, str]
    volume_name: NameOfVolume
    file_name: NameOfFile
    instances: Mapping[str, int] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    restarts: Mapping[str, int] = field(default_factory=dict)
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stopped: bool = False


def layers(spec: Specification) -> list[list[str]]:
    """Service names in starting order: each group needs only services of the groups before it."""
    return layers_of({name: tuple(service.depends_on) for name, service in spec.services.items()})


def build(spec: Specification, *, context: BuildContext) -> tuple[ServiceSpec, ...]:
    """One ServiceSpec for each service, in starting order.

    Raises SpecificationError when an image is not pinned, a secret has no value, or an overriding number of
    instances is out of range.
    """
    problems = [one for name, service in spec.services.items() for one in _missing(name, service, context)]
    if problems:
        raise SpecificationError(problems)
    return tuple(_service(spec, name, context) for group in layers(spec) for name in group)


def _missing(name: str, service: Service, context: BuildContext) -> list[Problem]:
    found: list[Problem] = []
    if not is_pinned(context.pinned.get(name, "")):
        found.append(problem(("services", name, "image"), "image_not_pinned"))
    if not 0 <= context.instances.get(name, 0) <= MOST_INSTANCES:
        found.append(problem(("services", name, "deploy", "replicas"), "not_whole_number", low=0, high=MOST_INSTANCES))
    return found + [
        problem(("services", name, "secrets", index), "secret_not_set", value=use.source)
        for index, use in enumerate(service.secrets)
        if use.source not in context.secrets
    ]


def _service(spec: Specification, name: str, context: BuildContext) -> ServiceSpec:
    service = spec.services[name]
    return ServiceSpec(
        ref=ServiceRef(environment=context.environment, app=context.app, service=name),
        image=context.pinned[name],
        instances=0 if context.stopped else context.instances.get(name, service.deploy.replicas),
        aliases=context.aliases.get(name, (name,)),
        entrypoint=service.entrypoint,
        command=service.command,
        environment=tuple(sorted(service.environment.items())),
        ports=_ports(service),
        health=_health(service),
        resources=_resources(service.deploy.resources),
        update=_update(service),
        restart=_restart(service.deploy.restart_policy),
        volumes=tuple(
            VolumeMount(context.volume_name(use.source), use.target, use.read_only, spec.volumes[use.source].size)
            for use in service.named_volumes
        ),
        tmpfs=tuple(TmpfsMount(mount.target, mount.size) for mount in service.tmpfs_mounts),
        files=_files(spec, service, context),
        host_labels=service.deploy.placement.constraints,
        max_per_host=service.deploy.placement.max_replicas_per_node,
        user=service.user,
        working_dir=service.working_dir,
        read_only=service.read_only,
        init=True if service.init is None else service.init,
        stop_grace_seconds=10.0 if service.stop_grace_period is None else service.stop_grace_period,
        labels=tuple(sorted(service.labels.items())),
        restarts=context.restarts.get(name, 0),
        image_name=service.image,
    )


def _ports(service: Service) -> tuple[Port, ...]:
    published = [(port, True) for port in service.published_ports]
    inside = [(port, False) for port in service.inside_ports]
    return tuple(Port(port.target, port.protocol, outside) for port, outside in published + inside)


def _health(service: Service) -> HealthCheck | None:
    if service.x_berth.health is not None:
        return _check(service.x_berth.health.command(), service.x_berth.health)
    if service.healthcheck is not None:
        return _check(service.healthcheck.command(), service.healthcheck)
    return None


def _check(command: tuple[str, ...], rhythm: Rhythm) -> HealthCheck:
    return HealthCheck(command, rhythm.interval, rhythm.timeout, rhythm.retries, rhythm.start_period)


def _resources(wanted: kept.Resources) -> Resources:
    limits, reservations = wanted.limits, wanted.reservations
    amounts = (limits.cpus, reservations.cpus, limits.memory, reservations.memory)
    return Resources(*amounts) if limits.pids is None else Resources(*amounts, pids_limit=limits.pids)


def _update(service: Service) -> UpdatePolicy:
    """Start-first, so that no request is lost; but never two instances on the data of one volume."""
    wanted = service.deploy.update_config or kept.UpdateConfig()
    start_first = wanted.order == "start-first" if wanted.order else not service.named_volumes
    return UpdatePolicy(
        parallelism=wanted.parallelism,
        delay_seconds=wanted.delay,
        monitor_seconds=wanted.monitor,
        start_first=start_first,
        max_failure_ratio=wanted.max_failure_ratio,
    )


def _restart(wanted: kept.RestartPolicy | None) -> RestartPolicy:
    if wanted is None:
        return RestartPolicy()
    return RestartPolicy(wanted.condition, wanted.delay, wanted.max_attempts, wanted.window)


def _files(spec: Specification, service: Service, context: BuildContext) -> tuple[FileMount, ...]:
    configs = [_file("config", use, spec.configs[use.source].content.encode(), context) for use in service.configs]
    secrets = [_file("secret", use, context.secrets[use.source], context) for use in service.secrets]
    return (*configs, *secrets)


def _file(kind: Literal["config", "secret"], use: FileUse, content: bytes, context: BuildContext) -> FileMount:
    return FileMount(
        name=context.file_name(kind, use.source, content),
        path=use.target,
        content=content,
        mode=use.mode,
        uid=use.uid,
        gid=use.gid,
        secret=kind == "secret",
    )
