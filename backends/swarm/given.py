"""What the API of a cluster is given for an app, for people to read. Pure."""

from collections.abc import Sequence
from typing import Any

from backends.contract import EnvironmentRef, FileMount, Given, ServiceSpec
from backends.contract.documents import MASK
from backends.masking import masked, without_fingerprint
from backends.swarm import manifests


def documents(environment: EnvironmentRef, specs: Sequence[ServiceSpec]) -> tuple[Given, ...]:
    network = Given("network", environment.name, manifests.network_body(environment))
    return (network, *(one for spec in specs for one in _of_service(spec)))


def _of_service(spec: ServiceSpec) -> list[Given]:
    """The ids of files are the engine's own, and a mark is made anew with each change: neither is known before."""
    covered = masked(spec)
    body = manifests.service_body(covered, attempt=MASK, files={file.name: MASK for file in covered.files})
    service = Given("service", spec.ref.engine_name, without_fingerprint(body, covered), spec.ref.service)
    return [*(_file(covered, file) for file in covered.files), service]


def _file(spec: ServiceSpec, file: FileMount) -> Given:
    body: dict[str, Any] = manifests.file_body(spec.ref, file)
    kind = "secret" if file.secret else "config"
    return Given(kind, file.name, body | {"Data": MASK} if file.secret else body, spec.ref.service)
