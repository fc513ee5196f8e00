"""The small files of a service: configs and secrets, which the engine keeps apart from services and never changes."""

from collections.abc import Iterable, Mapping
from typing import Any

from backends.contract import DriverError, FileMount, Reason, ReasonCode, ServiceRef, ServiceSpec
from backends.swarm import manifests
from backends.swarm.client import EngineClient
from backends.swarm.errors import RefusedError

Raw = Mapping[str, Any]
_KINDS = ("configs", "secrets")


def ensure(client: EngineClient, spec: ServiceSpec) -> dict[str, str]:
    """The engine's id of each file by its name; made where missing."""
    return {file.name: _ensure(client, spec.ref, file) for file in spec.files}


def _ensure(client: EngineClient, ref: ServiceRef, file: FileMount) -> str:
    kind = "secrets" if file.secret else "configs"
    try:
        return str(client.post(f"/{kind}/create", manifests.file_body(ref, file))["ID"])
    except RefusedError as error:
        if error.status != 409:
            raise
    # the name carries the content's hash, so what is there under it is the same, if it is ours at all
    found = client.get(f"/{kind}/{file.name}")
    if (found["Spec"].get("Labels") or {}).get(manifests.APP) != ref.app:
        raise DriverError(Reason(ReasonCode.ENGINE_REFUSED, {"said": f"{file.name} is taken"}), permanent=True)
    return str(found["ID"])


def drop_unused(client: EngineClient, ref: ServiceRef, *, keep: Iterable[str] = ()) -> None:
    """Removes the service's files but those whose ids are in `keep`; what the engine still uses stays."""
    kept = set(keep)
    wanted = {"label": [f"{name}={value}" for name, value in manifests.identity(ref).items()]}
    for kind in _KINDS:
        for found in client.get(f"/{kind}", filters=wanted) or ():
            if found["ID"] not in kept:
                _drop(client, f"/{kind}/{found['ID']}")


def _drop(client: EngineClient, path: str) -> None:
    try:
        client.delete(path)
    except RefusedError as error:
        if error.status not in {400, 404, 409}:  # in use, or already gone: another pass will see to it
            raise


def ids_in(spec: Raw | None) -> set[str]:
    """Which files a spec that the engine holds refers to."""
    container: Raw = ((spec or {}).get("TaskTemplate") or {}).get("ContainerSpec") or {}
    configs = {one["ConfigID"] for one in container.get("Configs") or ()}
    return configs | {one["SecretID"] for one in container.get("Secrets") or ()}
