"""Whether a Swarm can be relied on: its version, what its engine may do and can do, and how it is reached."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from backends.addresses import is_own
from backends.contract import CheckCode, Checkup, DriverError, Finding, Level
from backends.failing import NO_ENGINE, away
from backends.finding import finding_of
from backends.swarm import observe
from backends.swarm.client import EngineClient
from backends.swarm.errors import RefusedError

Raw = Mapping[str, Any]

NEEDED = (1, 41)  # of the API; engines since 20.10


def examine(client: EngineClient, *, url: str, guarded: bool) -> Checkup:
    """Never raises. Asks and changes nothing. `guarded`: certificates are asked for and shown."""
    try:
        version, about = client.get("/version") or {}, client.get("/info") or {}
        swarm: Raw = about.get("Swarm") or {}
        nodes = client.get("/nodes") if swarm.get("ControlAvailable") else []
    except DriverError as error:
        status = error.status if isinstance(error, RefusedError) else 0
        return Checkup(findings=(finding_of(error, status=status), *_of_the_way(url, guarded=guarded)))
    except (TypeError, AttributeError, ValueError):
        return Checkup(findings=(finding_of(away(NO_ENGINE)),))
    table = observe.host_table(nodes)
    ready = sum(host.up for host in table.values())
    found = [*_of_version(version), *_of_swarm(swarm, hosts=len(table), ready=ready)]
    if not about.get("MemoryLimit", True):
        found.append(Finding(CheckCode.NO_MEMORY_LIMITS, Level.WARN))
    return Checkup(
        version=str(about.get("ServerVersion", "")),
        hosts=len(table),
        hosts_ready=ready,
        host_ids=frozenset(table),
        findings=(*found, *_of_the_way(url, guarded=guarded)),
    )


def _of_version(version: Raw) -> Iterator[Finding]:
    told = str(version.get("ApiVersion", ""))
    parts = told.split(".")
    if not all(part.isdigit() for part in parts) or tuple(int(part) for part in parts) < NEEDED:
        params = {"version": f"{version.get('Version', '?')} (API {told or '?'})", "needed": "20.10 (API 1.41)"}
        yield Finding(CheckCode.OLD_VERSION, Level.BAD, params)


def _of_swarm(swarm: Raw, *, hosts: int, ready: int) -> Iterator[Finding]:
    if not swarm.get("ControlAvailable"):
        said = str(swarm.get("Error") or swarm.get("LocalNodeState") or "")
        yield Finding(CheckCode.NOT_A_MANAGER, Level.BAD, {"said": said})
        return
    if not ready:
        yield Finding(CheckCode.NO_HOSTS, Level.WARN, {"hosts": hosts})
    if hosts > 1:
        yield Finding(CheckCode.ONE_HOST_REACHED, Level.WARN)
        if swarm.get("Managers") == 1:
            yield Finding(CheckCode.ONE_MANAGER, Level.WARN)


def _of_the_way(url: str, *, guarded: bool) -> Iterator[Finding]:
    parts = urlsplit(url)
    if parts.scheme == "tcp" and not guarded and not is_own(parts.hostname or ""):
        yield Finding(CheckCode.IN_THE_CLEAR, Level.WARN, {"address": parts.netloc})
