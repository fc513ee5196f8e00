"""Notes on what is accepted but becomes other than it was written, in every mode."""

from collections.abc import Iterator, Mapping

from apps.specification.ports import EVERYWHERE, WrittenPort, read_port
from apps.specification.problems import Loc, Note, note


def notes_of(data: Mapping[str, object]) -> list[Note]:
    """`data` has been accepted."""
    services = data.get("services")
    found: list[Note] = []
    for name, service in services.items() if isinstance(services, dict) else ():
        if isinstance(service, dict):
            found += _of_service(service, ("services", str(name)))
    return found


def _of_service(service: Mapping[str, object], loc: Loc) -> Iterator[Note]:
    ports = service.get("ports")
    for index, written in enumerate(ports if isinstance(ports, list) else ()):
        yield from _of_port(read_port(written), (*loc, "ports", index))
    deploy = service.get("deploy")
    if isinstance(deploy, dict) and deploy.get("rollback_config"):
        yield note((*loc, "deploy", "rollback_config"), "rollback_follows_update")


def _of_port(port: WrittenPort, loc: Loc) -> Iterator[Note]:
    if port.inside:
        yield note(loc, "port_kept_inside", value=port.host_address)
        return
    if port.host_port:
        yield note(loc, "host_port_chosen", value=port.host_port)
    if port.host_address not in EVERYWHERE:
        yield note(loc, "host_address_chosen", value=port.host_address)
