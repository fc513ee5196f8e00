"""What the API of a cluster is given for an app, for people to read. Pure."""

from collections.abc import Sequence
from typing import Any

from backends.contract import EnvironmentRef, Given, ServiceSpec
from backends.contract.documents import MASK
from backends.kubernetes import environments, manifests
from backends.masking import masked, without_fingerprint


def documents(environment: EnvironmentRef, specs: Sequence[ServiceSpec]) -> tuple[Given, ...]:
    whole = [environments.namespace(environment), *environments.objects(environment)]
    return (*(_given(_without_data(one)) for one in whole), *(one for spec in specs for one in _of_service(spec)))


def _of_service(spec: ServiceSpec) -> list[Given]:
    covered = masked(spec)
    made = [without_fingerprint(_without_data(one), covered) for one in manifests.objects(covered)]
    return [_given(one, service=spec.ref.service) for one in made]


def _without_data(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"data": dict.fromkeys(one["data"], MASK)} if one["kind"] == "Secret" else one


def _given(one: dict[str, Any], *, service: str = "") -> Given:
    return Given(one["kind"], one["metadata"]["name"], one, service)
