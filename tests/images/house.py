"""A real registry with its gate and a portal behind it, without any engine: pushed to by hand, and by skopeo."""

import gzip
import hashlib
import http.client
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from images.registry import signing
from images.registry.scopes import REPOSITORY, Scope
from launcher.registry import Berth, PrivateRegistry
from tests.images.real import asked

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
SECONDS = 60


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> str:
        """What a client would show."""
        return str(json.loads(self.body)["errors"][0]["message"])


@dataclass(frozen=True)
class Image:
    """As it lies in a registry: its manifest, and the blobs that it names."""

    manifest: bytes
    blobs: tuple[bytes, ...]
    kind: str = MANIFEST

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def image(*layers: bytes, say: str = "") -> Image:
    """An image of layers that hold one file each."""
    packed = [_layer(text) for text in layers or (b"hello",)]
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {"Labels": {"said": say}}, "rootfs": {"type": "layers"}}
    ).encode()
    named = [
        {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": digest_of(one), "size": len(one)}
        for one in packed
    ]
    about = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": digest_of(config),
        "size": len(config),
    }
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": about, "layers": named}
    return Image(json.dumps(manifest).encode(), (config, *packed))


def _layer(text: bytes) -> bytes:
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w") as archive:
        about = tarfile.TarInfo("file")
        about.size = len(text)
        archive.addfile(about, io.BytesIO(text))
    return gzip.compress(kept.getvalue(), compresslevel=0, mtime=0)


@dataclass
class Upload:
    connection: http.client.HTTPConnection
    data: bytes

    def finish(self) -> int:
        with closing(self.connection):
            self.connection.send(self.data[-1:])
            return self.connection.getresponse().status


@dataclass
class House:
    registry: PrivateRegistry
    home: Path
    berth: Berth
    subject: str = "system:test"

    @property
    def address(self) -> str:
        return self.registry.url.partition("://")[2]

    def ask(
        self, method: str, path: str, *, body: bytes = b"", actions: str = "pull,push,delete", **headers: str
    ) -> Answer:
        """One request with a token for just this repository."""
        name = path.removeprefix("/v2/").partition("/manifests/")[0].partition("/blobs/")[0].partition("/tags/")[0]
        token = signing.issue(self.subject, [Scope(REPOSITORY, name, tuple(actions.split(",")))])
        sent = {"Authorization": f"Bearer {token}"} | {key.replace("_", "-"): text for key, text in headers.items()}
        return self.raw(method, path, body=body, headers=sent)

    def raw(self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        with closing(http.client.HTTPConnection(self.address, timeout=SECONDS)) as connection:
            connection.request(method, path, body=body or None, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {key.lower(): text for key, text in answer.getheaders()}, answer.read())

    def give(self, path: str, blob: bytes) -> Answer:
        """Upload a layer in one piece."""
        begun = self.ask("POST", f"/v2/{path}/blobs/uploads/")
        if begun.status != 202:
            return begun
        where = begun.headers["location"].partition(self.address)[2]
        return self.ask("PUT", f"{where}&digest={digest_of(blob)}", body=blob)

    def put(self, path: str, reference: str, one: Image) -> Answer:
        """Give a manifest a name."""
        return self.ask("PUT", f"/v2/{path}/manifests/{reference}", body=one.manifest, Content_Type=one.kind)

    def push(self, path: str, reference: str, one: Image) -> Answer:
        for blob in one.blobs:
            given = self.give(path, blob)
            if given.status != 201:
                return given
        return self.put(path, reference, one)

    def means(self, path: str, tag: str) -> str:
        """The digest that a tag means; empty where it means none."""
        found = self.ask("HEAD", f"/v2/{path}/manifests/{tag}", Accept=f"{MANIFEST}, {LIST}")
        return found.headers.get("docker-content-digest", "") if found.status == 200 else ""

    def whole(self, path: str, reference: str) -> bool:
        """Whether manifest, configuration and every layer are there, as their digests say."""
        found = self.ask("GET", f"/v2/{path}/manifests/{reference}", Accept=f"{MANIFEST}, {LIST}")
        if found.status != 200:
            return False
        told = json.loads(found.body)
        named = [told["config"], *told["layers"]] if "config" in told else []
        blobs = [(one["digest"], self.ask("GET", f"/v2/{path}/blobs/{one['digest']}")) for one in named]
        return all(got.status == 200 and digest_of(got.body) == digest for digest, got in blobs)

    def upload(self, path: str, data: bytes) -> "Upload":
        """Begin to send a layer, all but its last byte."""
        begun = self.ask("POST", f"/v2/{path}/blobs/uploads/")
        where = begun.headers["location"].partition(self.address)[2]
        token = signing.issue(self.subject, [Scope(REPOSITORY, path, ("pull", "push"))])
        connection = http.client.HTTPConnection(self.address, timeout=SECONDS)
        connection.putrequest("PUT", f"{where}&digest={digest_of(data)}")
        connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders()
        connection.send(data[:-1])
        return Upload(connection, data)

    def skopeo(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["skopeo", *words], capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self.home
        )


class SlowRegistry(PrivateRegistry):
    """One that is tidied up only once the file `go` lies in its folder, and says by `begun` that it waits for it."""

    @property
    def begun(self) -> Path:
        return self.folder / "begun"

    def go(self) -> None:
        (self.folder / "go").touch()

    def gate_settings(self, address: str, berth: Berth) -> dict[str, object]:
        known = super().gate_settings(address, berth)
        wait = 'touch begun; until [ -e go ]; do sleep 0.05; done; rm -f begun go; exec "$@"'
        return known | {"collect": ["/bin/sh", "-c", wait, "sh", *known["collect"]]}  # type: ignore[misc]  # a list


@contextmanager
def house(folder: Path, settings: Any, kind: type[PrivateRegistry] = PrivateRegistry) -> Iterator[House]:
    """A registry on this machine, its gate, and a portal that both ask."""
    with asked("127.0.0.1", folder, settings, kind) as (registry, berth):
        yield House(registry, folder, berth)
