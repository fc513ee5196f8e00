"""One service of the specification: every key that is kept, and the one form it is stored in."""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from apps.specification import image_reference
from apps.specification.deploy import Deploy
from apps.specification.files import Configs, Secrets
from apps.specification.health import Healthcheck
from apps.specification.mounts import MOST_MOUNTS, Tmpfs, TmpfsMounts, Volumes, VolumeUse
from apps.specification.part import Canonical, Part, canonical, checked, read_pairs
from apps.specification.paths import nearest_label, read_path
from apps.specification.ports import MOST_PORTS, Exposed, Port, Ports
from apps.specification.problems import Gathering, fault
from apps.specification.reserved import check_label, check_variable
from apps.specification.scalars import Read, as_text, duration, duration_text, flag
from apps.specification.words import Words
from apps.specification.x_berth import BerthWords
from core.names import is_label

MOST_VARIABLES = 200
MOST_LABELS = 50
LARGEST_ENVIRONMENT = 256 * 1024
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?\Z", re.ASCII)
CONDITIONS = ("service_started", "service_healthy")


def read_image(value: object) -> str:
    """The reference as people write it, with its tag or digest: nginx is nginx:latest."""
    if not isinstance(value, str):
        raise fault("not_text")
    try:
        return str(image_reference.parse(value))
    except image_reference.BadImageReference as error:
        raise fault(error.code, value=value) from None


def read_environment(value: object) -> dict[str, str]:
    found = read_pairs(value, most=MOST_VARIABLES, without_value="environment_without_value", check=check_variable)
    if sum(len(key) + len(text.encode()) for key, text in found.items()) > LARGEST_ENVIRONMENT:
        raise fault("environment_too_large", limit=LARGEST_ENVIRONMENT // 1024)
    return found


def read_labels(value: object) -> dict[str, str]:
    return read_pairs(value, most=MOST_LABELS, without_value=None, check=check_label)


def read_user(value: object) -> str:
    text = as_text(value) if not isinstance(value, bool) else ""
    if not USER.match(text):
        raise fault("bad_user", value=value)
    return text


def read_depends_on(value: object) -> dict[str, str]:
    """Service names with what is waited for."""
    if isinstance(value, list | tuple):
        value = _listed(value)
    if not isinstance(value, dict):
        raise fault("not_list_or_map")
    found: dict[str, str] = {}
    wrong = Gathering()
    for name, written in value.items():
        with wrong.at(name):
            found[name] = _condition({} if written is None else written)
    wrong.finish()
    return dict(sorted(found.items()))


def _listed(value: list[object] | tuple[object, ...]) -> dict[str, object]:
    wrong = Gathering()
    found: dict[str, object] = {}
    for index, name in enumerate(value):
        with wrong.at(index):
            if not isinstance(name, str):
                raise fault("not_text")
            found[name] = None
    wrong.finish()
    return found


def _condition(written: object) -> str:
    if not isinstance(written, dict):
        raise fault("not_a_map")
    wrong = Gathering()
    for key, value in written.items():
        with wrong.at(key):
            if key not in ("condition", "required", "restart"):
                raise fault("extra_forbidden")
            if key != "condition" and value is not (key == "required"):
                raise fault("not_one_of", words="true" if key == "required" else "false", value=value)
    condition = written.get("condition", CONDITIONS[0])
    with wrong.at("condition"):
        if condition == "service_completed_successfully":
            raise fault("condition_not_available")
        if condition not in CONDITIONS:
            raise fault("not_one_of", words=", ".join(CONDITIONS), value=condition)
    wrong.finish()
    return str(condition)


TEXT_OR_NUMBER: dict[str, object] = {"type": ["string", "number", "boolean"]}
PAIRS_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "object", "additionalProperties": TEXT_OR_NUMBER},
        {"type": "array", "items": {"type": "string"}},
    ]
}
DEPENDS_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {
            "type": "object",
            "additionalProperties": {
                "type": ["object", "null"],
                "properties": {
                    "condition": {"enum": list(CONDITIONS)},
                    "required": {"const": True},
                    "restart": {"const": False},
                },
                "additionalProperties": False,
            },
        },
    ]
}
PATH_SCHEMA: dict[str, object] = {"type": "string", "pattern": "^/", "maxLength": 255}
FLAG_SCHEMA: dict[str, object] = {"type": "boolean"}


class Service(Part):
    """Values are meant literally: `$$` of the written form is one dollar sign here."""

    image: Annotated[str, Read(read_image, {"type": "string", "maxLength": 512})]
    command: Words = None
    entrypoint: Words = None
    environment: Annotated[dict[str, str], Read(read_environment, PAIRS_SCHEMA)] = Field(default_factory=dict)
    ports: Ports = ()
    expose: Exposed = ()
    healthcheck: Healthcheck | None = None
    depends_on: Annotated[dict[str, str], Read(read_depends_on, DEPENDS_SCHEMA)] = Field(default_factory=dict)
    volumes: Volumes = ()
    tmpfs: TmpfsMounts = ()
    configs: Configs = ()
    secrets: Secrets = ()
    working_dir: Annotated[str | None, Read(read_path, PATH_SCHEMA)] = None
    user: Annotated[str | None, Read(read_user, {"type": ["string", "integer"]})] = None
    stop_grace_period: Annotated[float | None, duration(0, 3600)] = None
    read_only: Annotated[bool, Read(flag, FLAG_SCHEMA)] = False
    init: Annotated[bool | None, Read(flag, FLAG_SCHEMA)] = None
    labels: Annotated[dict[str, str], Read(read_labels, PAIRS_SCHEMA)] = Field(default_factory=dict)
    deploy: Deploy = Deploy()
    x_berth: BerthWords = Field(default=BerthWords(), alias="x-berth")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        checked(self._check)
        return self

    def _check(self) -> None:
        wrong = Gathering()
        with wrong.at("x-berth", "health"):
            if self.healthcheck is not None and self.x_berth.health is not None:
                raise fault("two_checks")
        with wrong.at("ports"):
            if len(self.published_ports) + len(self.inside_ports) > MOST_PORTS:
                raise fault("too_many", limit=MOST_PORTS)
        seen: set[str] = set()
        for key in ("volumes", "tmpfs", "configs", "secrets"):
            for index, mount in enumerate(getattr(self, key)):
                with wrong.at(key, index):
                    if mount.target in seen:
                        raise fault("path_twice", value=mount.target)
                    seen.add(mount.target)
        with wrong.at("volumes"):
            if len(seen) > MOST_MOUNTS:
                raise fault("too_many", limit=MOST_MOUNTS)
        wrong.finish()

    @property
    def published_ports(self) -> tuple[Port, ...]:
        """Reachable from outside."""
        return tuple(port for port in self.ports if not port.inside)

    @property
    def inside_ports(self) -> tuple[Port, ...]:
        """Reachable inside the environment only, sorted, without those that are published."""
        published = {(port.target, port.protocol) for port in self.published_ports}
        wanted = {(port.target, port.protocol) for port in (*self.ports, *self.expose)} - published
        return tuple(Port(target, protocol) for target, protocol in sorted(wanted))

    @property
    def named_volumes(self) -> tuple[VolumeUse, ...]:
        return tuple(mount for mount in self.volumes if isinstance(mount, VolumeUse))

    @property
    def tmpfs_mounts(self) -> tuple[Tmpfs, ...]:
        return (*self.tmpfs, *(mount for mount in self.volumes if isinstance(mount, Tmpfs)))

    def canonical(self) -> Canonical:
        kept = canonical(
            image=self.image,
            entrypoint=list(self.entrypoint or ()),
            command=list(self.command or ()),
            environment=self.environment,
            ports=[port.canonical() for port in self.published_ports],
            expose=[port.short() for port in self.inside_ports],
            healthcheck=self.healthcheck and self.healthcheck.canonical(),
            depends_on={name: {"condition": condition} for name, condition in self.depends_on.items()},
            volumes=[mount.canonical() for mount in self.named_volumes],
            tmpfs=[mount.short() for mount in self.tmpfs_mounts],
            configs=[use.canonical() for use in self.configs],
            secrets=[use.canonical() for use in self.secrets],
            working_dir=self.working_dir,
            user=self.user,
            stop_grace_period=None if self.stop_grace_period is None else duration_text(self.stop_grace_period),
            read_only=self.read_only or None,
            init=self.init,
            labels=self.labels,
            deploy=self.deploy.canonical(),
        )
        return kept | canonical(**{"x-berth": self.x_berth.canonical()})


def read_service_name(value: object) -> str:
    if not isinstance(value, str) or not is_label(value):
        raise fault("bad_name", value=value, nearest=nearest_label(value))
    return value
