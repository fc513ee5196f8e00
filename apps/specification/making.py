"""Specifications made by the deploy form and from an image: through the same reading as everything else."""

from collections.abc import Mapping, Sequence

from apps.specification.dollars import escaped
from apps.specification.model import Specification
from apps.specification.problems import SpecificationError, problem
from apps.specification.reading import MOST_INSTANCES_BY_DEFAULT, read_data


def from_image(
    image: str,
    *,
    name: str = "web",
    ports: Sequence[int | str] = (),
    health: Mapping[str, object] | None = None,
    instances: int | str = 1,
    cpu: float | str | None = None,
    memory: int | str | None = None,
    environment: Mapping[str, str] | None = None,
    most_instances: int = MOST_INSTANCES_BY_DEFAULT,
) -> Specification:
    """An app of one service. Values are literal: a dollar sign is a dollar sign.

    `health`: {"http": {"port": 8080, "path": "/healthz"}} or {"tcp": {"port": 5432}}. `cpu` in cores, `memory`
    as "256Mi"; both are limits of each instance. Raises SpecificationError with paths like services.web.ports[0].
    """
    limits = {key: value for key, value in (("cpus", cpu), ("memory", memory)) if value not in (None, "")}
    service: dict[str, object] = {
        "image": image,
        "environment": dict(environment or {}),
        "ports": list(ports),
        "deploy": {"replicas": instances, "resources": {"limits": limits}},
        "x-berth": {"health": dict(health)} if health else {},
    }
    return read_data({"services": {name: escaped(service)}}, most_instances=most_instances).specification


def with_image(spec: Specification, service: str, image: str) -> Specification:
    """The same app with another image in one service. Raises SpecificationError."""
    if service not in spec.services:
        known = ", ".join(spec.services)
        raise SpecificationError([problem(("services", service), "unknown_service", value=service, words=known)])
    changed = spec.canonical()
    services = changed["services"]
    if isinstance(services, dict):
        changed["services"] = services | {service: services[service] | {"image": escaped(image)}}
    return stored(changed)


def stored(canonical: Mapping[str, object]) -> Specification:
    """A specification that was accepted before, checked again; the number of instances was judged then."""
    return read_data(dict(canonical), most_instances=1000).specification
