"""Which keys are kept at which place, taken from the model itself."""

from functools import cache

from apps.specification.deploy import (
    Deploy,
    Limits,
    Placement,
    Reservations,
    Resources,
    RestartPolicy,
    RollbackConfig,
    UpdateConfig,
)
from apps.specification.health import Healthcheck
from apps.specification.model import Config, Secret, Specification, Volume
from apps.specification.part import Part
from apps.specification.service import Service
from apps.specification.x_berth import BerthWords, Health, HttpCheck, TcpCheck, VolumeWords

MODELS: dict[str, type[Part]] = {
    "": Specification,
    "services.*": Service,
    "services.*.healthcheck": Healthcheck,
    "services.*.deploy": Deploy,
    "services.*.deploy.resources": Resources,
    "services.*.deploy.resources.limits": Limits,
    "services.*.deploy.resources.reservations": Reservations,
    "services.*.deploy.update_config": UpdateConfig,
    "services.*.deploy.rollback_config": RollbackConfig,
    "services.*.deploy.restart_policy": RestartPolicy,
    "services.*.deploy.placement": Placement,
    "services.*.x-berth": BerthWords,
    "services.*.x-berth.health": Health,
    "services.*.x-berth.health.http": HttpCheck,
    "services.*.x-berth.health.tcp": TcpCheck,
    "volumes.*": Volume,
    "volumes.*.x-berth": VolumeWords,
    "configs.*": Config,
    "secrets.*": Secret,
}
ENTRIES: dict[str, tuple[str, ...]] = {
    "services.*.ports.*": ("target", "protocol", "published", "host_ip"),
    "services.*.volumes.*": ("type", "source", "target", "read_only", "tmpfs"),
    "services.*.volumes.*.tmpfs": ("size",),
    "services.*.configs.*": ("source", "target", "uid", "gid", "mode"),
    "services.*.secrets.*": ("source", "target", "uid", "gid", "mode"),
}


@cache
def allowed_keys(pattern: str) -> tuple[str, ...]:
    """The keys kept at a place like services.*.deploy, as they are written; () where no map is kept."""
    if pattern in MODELS:
        return tuple(field.alias or name for name, field in MODELS[pattern].model_fields.items())
    if pattern.startswith("services.*.depends_on."):
        return ("condition",)
    return ENTRIES.get(pattern, ())
