"""What Berth's word costs whoever pushes and pulls: beside the same registry asked by nobody."""

import base64
import hashlib
import http.client
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import Wrong
from benchmarks.machine import processor_seconds
from benchmarks.portal import Portal
from benchmarks.result import Line, Section, milliseconds, percentile
from launcher.paths import State
from launcher.registry import Berth, PrivateRegistry

TOKEN_SECONDS, PUSH_SHARE = 0.015, 0.9
CLIENTS = 200
PIECE = 1024 * 1024
PULLED_MIB = 16
PATH = "demo/shop/bench"
KIND = "application/vnd.oci.image.manifest.v1+json"


class Alone(PrivateRegistry):
    """The same registry, which lets everybody do everything."""

    def settings(self, address: str, berth: Berth) -> dict[str, object]:
        kept = super().settings(address, berth)
        return {name: kept[name] for name in kept if name not in ("auth", "notifications")}


@dataclass(frozen=True)
class Far:
    """A registry, and how to get a token for it: HOST:PORT, and what gives one (empty where none is wanted)."""

    address: str
    token: Callable[[], str]

    def ask(
        self, method: str, path: str, *, body: object = None, wanted: int, kind: str = "", token: str | None = None
    ) -> tuple[http.client.HTTPMessage, bytes]:
        line = http.client.HTTPConnection(self.address, timeout=300)
        shown = self.token() if token is None else token
        headers = {"Content-Type": kind or "application/octet-stream", "Accept": KIND}
        headers |= {"Authorization": f"Bearer {shown}"} if shown else {}
        headers |= {"Content-Length": str(body.size)} if isinstance(body, Poured) else {}
        try:
            line.request(method, path, body=body, headers=headers)  # type: ignore[arg-type]
            answer = line.getresponse()
            told = answer.read()
        finally:
            line.close()
        if answer.status != wanted:
            raise Wrong(f"{method} {path} answered {answer.status}, not {wanted}: {told[:300]!r}")
        return answer.headers, told


@dataclass
class Poured:
    """Bytes that no two runs share, made as they are sent; after it `digest` is theirs."""

    size: int
    sum: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __iter__(self) -> Iterator[bytes]:
        piece = os.urandom(PIECE)
        for turn in range(self.size // PIECE):
            told = turn.to_bytes(8, "big") + piece[8:]
            self.sum.update(told)
            yield told

    @property
    def digest(self) -> str:
        return f"sha256:{self.sum.hexdigest()}"


def measure(portal: Portal, *, mebibytes: int, runs: int) -> Section:
    url = PrivateRegistry(portal.state).url
    if not url:
        raise Wrong("the portal runs without a registry")
    section = Section(
        "Registry",
        "`docker-registry` behind Berth, beside the same program that asks nobody, one after the other in the same "
        f"run. One layer of {mebibytes} MiB is pushed in one stream, three times each; the best counts. {CLIENTS} "
        f"clients at once, each with a token of its own, pull an image of {PULLED_MIB} MiB. All of them run on this "
        "one machine.",
    )
    ours = Far(url.partition("://")[2], lambda: token(portal))
    with alone() as other:
        section.lines = [
            answered(portal, runs=runs),
            pushed(ours, other, mebibytes=mebibytes),
            *pulled(portal, ours, other),
        ]
    return section


@contextmanager
def alone() -> Iterator[Far]:
    with tempfile.TemporaryDirectory(prefix="berth-bench-", dir="/var/tmp") as folder:  # noqa: S108  made by it
        state = State(Path(folder))
        state.prepare()
        registry = Alone(state)
        try:
            yield Far(registry.start("127.0.0.1", Berth("", "")).partition("://")[2], lambda: "")
        finally:
            registry.destroy()


def token(portal: Portal, actions: str = "pull,push") -> str:
    shown = base64.b64encode(f"owner:{portal.token}".encode()).decode()
    asked = f"/registry/token?service=berth-registry&scope=repository:{PATH}:{actions}"
    answer = portal.client().ask("GET", asked, Authorization=f"Basic {shown}")
    return str(answer.json()["token"])


def answered(portal: Portal, *, runs: int) -> Line:
    client, shown = portal.client(), base64.b64encode(f"owner:{portal.token}".encode()).decode()
    asked = f"/registry/token?service=berth-registry&scope=repository:{PATH}:pull"
    took = [client.ask("GET", asked, Authorization=f"Basic {shown}").seconds for _turn in range(runs * 4 + 10)][10:]
    return Line(
        "a token for one repository, by an API token",
        milliseconds(took),
        "",
        f"p95 ≤ {TOKEN_SECONDS * 1000:.0f} ms",
        percentile(took, 0.95) <= TOKEN_SECONDS,
        "the rights of whoever asks are read anew each time",
    )


def pushed(ours: Far, other: Far, *, mebibytes: int) -> Line:
    best: dict[str, float] = {}
    for _turn in range(3):
        for far in (other, ours):
            took, _digest = push(far, mebibytes * PIECE)
            best[far.address] = min(took, best.get(far.address, took))
    share = best[other.address] / best[ours.address]
    rates = {address: mebibytes / took for address, took in best.items()}
    return Line(
        f"push of a layer of {mebibytes} MiB ({share * 100:.0f} % of the rate of the registry alone)",
        f"{rates[ours.address]:.0f} MiB/s",
        f"{rates[other.address]:.0f} MiB/s",
        f"≥ {PUSH_SHARE * 100:.0f} %",
        share >= PUSH_SHARE,
        "something stands between the client and the registry",
    )


def push(far: Far, size: int) -> tuple[float, str]:
    """Seconds, with the token, and the digest of what lies there now."""
    poured, began = Poured(size), time.perf_counter()
    shown = far.token()
    begun, _told = far.ask("POST", f"/v2/{PATH}/blobs/uploads/", wanted=202, token=shown)
    sent, _told = far.ask("PATCH", inside(begun["Location"]), body=poured, wanted=202, token=shown)
    place = inside(sent["Location"])
    far.ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={poured.digest}", wanted=201, token=shown)
    return time.perf_counter() - began, poured.digest


def inside(location: str) -> str:
    """The path of an address."""
    return "/" + location.partition("://")[2].partition("/")[2] if "://" in location else location


def pulled(portal: Portal, ours: Far, other: Far) -> list[Line]:
    rates: dict[str, float] = {}
    for far in (other, ours):
        _took, layer = push(far, PULLED_MIB * PIECE)
        image = {"schemaVersion": 2, "mediaType": KIND, "config": described(layer), "layers": [described(layer)]}
        far.ask("PUT", f"/v2/{PATH}/manifests/1", body=json.dumps(image).encode(), kind=KIND, wanted=201)
        before = processor_seconds(portal.pid)
        rates[far.address] = CLIENTS * PULLED_MIB / crowd(far, layer)
    used = processor_seconds(portal.pid) - before
    share = rates[ours.address] / rates[other.address]
    return [
        Line(
            f"{CLIENTS} clients pull at once ({share * 100:.0f} % of the registry alone)",
            f"{rates[ours.address]:.0f} MiB/s",
            f"{rates[other.address]:.0f} MiB/s",
        ),
        Line("processor time of the portal for all of them", f"{used * 1000 / CLIENTS:.1f} ms a client"),
    ]


def described(layer: str) -> dict[str, object]:
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": PULLED_MIB * PIECE}


def crowd(far: Far, layer: str) -> float:
    """Seconds until everybody has it. Raises Wrong if somebody has not."""
    failed: list[str] = []

    def pull() -> None:
        try:
            shown = far.token()
            far.ask("GET", f"/v2/{PATH}/manifests/1", wanted=200, token=shown)
            _headers, told = far.ask("GET", f"/v2/{PATH}/blobs/{layer}", wanted=200, token=shown)
            if len(told) != PULLED_MIB * PIECE:
                failed.append(f"{len(told)} bytes")
        except (OSError, Wrong, http.client.HTTPException) as error:
            failed.append(str(error))

    began = time.perf_counter()
    threads = [threading.Thread(target=pull) for _turn in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise Wrong(f"{len(failed)} of {CLIENTS} clients did not get it: {failed[0]}")
    return time.perf_counter() - began
