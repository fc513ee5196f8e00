"""The application specification: the allow-list. What this model does not know cannot be deployed."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from apps.specification.dollars import escaped
from apps.specification.ordering import circle
from apps.specification.part import Canonical, Part, canonical, checked
from apps.specification.paths import read_source
from apps.specification.problems import Gathering, fault
from apps.specification.scalars import Read, flag
from apps.specification.service import Service, read_service_name
from apps.specification.x_berth import VolumeWords
from apps.specification.yaml_writing import as_yaml

MOST_SERVICES = 20
MOST_DECLARED = 50
LARGEST_CONFIG = 500_000


def read_content(value: object) -> str:
    if not isinstance(value, str):
        raise fault("not_text")
    if len(value.encode()) > LARGEST_CONFIG:
        raise fault("config_too_large", limit=LARGEST_CONFIG // 1000)
    return value


def read_external(value: object) -> bool:
    if not flag(value):
        raise fault("secret_in_specification")
    return True


class Volume(Part):
    """A volume by its name and its size; where it lies is Berth's choice."""

    x_berth: VolumeWords = Field(default=VolumeWords(), alias="x-berth")

    @property
    def size(self) -> int:
        """Bytes, of each instance's own where each has its own."""
        return self.x_berth.size

    def canonical(self) -> Canonical:
        return canonical(**{"x-berth": self.x_berth.canonical()})


class Config(Part):
    """A small file, its text in full."""

    content: Annotated[str, Read(read_content, {"type": "string", "maxLength": LARGEST_CONFIG})]

    def canonical(self) -> Canonical:
        return {"content": self.content}


class Secret(Part):
    """A secret by its name; its value is kept elsewhere and never stands here."""

    external: Annotated[bool, Read(read_external, {"const": True})] = True

    def canonical(self) -> Canonical:
        return {"external": True}


ServiceName = Annotated[str, Read(read_service_name, {"type": "string"})]
DeclaredName = Annotated[str, Read(read_source, {"type": "string"})]


class Specification(Part):
    """One app. Read it with `reading.read_text` or `reading.read_data`, never from parts of it."""

    services: dict[ServiceName, Service]
    volumes: dict[DeclaredName, Volume] = Field(default_factory=dict)
    configs: dict[DeclaredName, Config] = Field(default_factory=dict)
    secrets: dict[DeclaredName, Secret] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _declared_by_name_alone(cls, data: object) -> object:
        """`volumes: {data: null}` is how Compose writes "with nothing special"; secrets alike."""
        if not isinstance(data, dict):
            return data
        filled = dict(data)
        for key in ("volumes", "secrets"):
            if isinstance(filled.get(key), dict):
                filled[key] = {name: {} if value is None else value for name, value in filled[key].items()}
        return filled

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        declared = {key: set(getattr(self, key)) for key in ("volumes", "configs", "secrets")}
        checked(lambda: check_links(self.services, names=set(self.services), declared=declared))
        return self

    def canonical(self) -> Canonical:
        """The one JSON form; stable, so that equal specifications are equal texts."""
        whole = canonical(
            services={name: service.canonical() for name, service in sorted(self.services.items())},
            volumes={name: volume.canonical() for name, volume in sorted(self.volumes.items())},
            configs={name: config.canonical() for name, config in sorted(self.configs.items())},
            secrets={name: secret.canonical() for name, secret in sorted(self.secrets.items())},
        )
        kept = escaped(whole)
        return kept if isinstance(kept, dict) else whole

    def to_yaml(self) -> str:
        """A Compose file that reads back as the same specification."""
        return as_yaml(self.canonical())

    def __eq__(self, other: object) -> bool:
        """Alike when they mean the same, however they were written."""
        return isinstance(other, Specification) and self.canonical() == other.canonical()

    def __hash__(self) -> int:
        return hash(self.spec_hash)

    @property
    def spec_hash(self) -> str:
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def check_links(
    services: Mapping[str, Service], *, names: Collection[str], declared: Mapping[str, Collection[str]]
) -> None:
    """What services say of each other and of what is declared; raises a fault.

    `services` may be fewer than `names`: those that could be read, so that all problems are told at once.
    """
    wrong = Gathering()
    with wrong.at("services"):
        _check_count(len(names), most=MOST_SERVICES)
    for key, found in declared.items():
        with wrong.at(key):
            if len(found) > MOST_DECLARED:
                raise fault("too_many", limit=MOST_DECLARED)
    for name, service in services.items():
        _check_dependencies(name, service, names=names, wrong=wrong)
        _check_declared(name, service, declared=declared, wrong=wrong)
    ring = circle({name: tuple(service.depends_on) for name, service in services.items()})
    if ring:
        with wrong.at("services", ring[0], "depends_on"):
            raise fault("depends_in_a_circle", words=" > ".join((*ring, ring[0])))
    wrong.finish()


def _check_count(count: int, *, most: int) -> None:
    if count == 0:
        raise fault("empty")
    if count > most:
        raise fault("too_many", limit=most)


def _check_dependencies(name: str, service: Service, *, names: Collection[str], wrong: Gathering) -> None:
    others = sorted(set(names) - {name})
    for wanted in service.depends_on:
        with wrong.at("services", name, "depends_on", wanted):
            if wanted == name:
                raise fault("depends_on_itself")
            if wanted not in names:
                raise fault("unknown_service", value=wanted, words=", ".join(others) or "-")


def _check_declared(name: str, service: Service, *, declared: Mapping[str, Collection[str]], wrong: Gathering) -> None:
    uses: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("volumes", tuple(mount.source for mount in service.named_volumes)),
        ("configs", tuple(use.source for use in service.configs)),
        ("secrets", tuple(use.source for use in service.secrets)),
    )
    for key, sources in uses:
        for source in sources:
            with wrong.at("services", name, key, source):
                if source not in declared[key]:
                    raise fault("not_declared", value=source, words=key)
