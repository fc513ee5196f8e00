"""A registry beside the private cluster, which its nodes may ask over plain HTTP; and the way to put an image there."""

import hashlib
import json
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urljoin

from launcher.image_archive import Image

PORT = 5000
GUARDED_PORT = 5001  # where a test may put what asks who is there
SECONDS = 30.0
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar"
BYTES = "application/octet-stream"
HOSTS = """server = "http://{address}"
[host."http://{address}"]
  capabilities = ["pull", "resolve"]
"""


def words(home: Path, *, address: str) -> list[str]:
    """How it is started; it keeps its images in `home`."""
    settings = {
        "version": 0.1,
        "log": {"level": "warn"},
        "http": {"addr": address, "secret": "of no use to anybody else"},
        "storage": {"filesystem": {"rootdirectory": str(home / "registry")}},
    }
    file = home / "registry.yml"
    file.write_text(json.dumps(settings))
    return ["docker-registry", "serve", str(file)]


def let_fetch(home: Path, address: str) -> None:
    """Have a node, whose files lie in `home`, ask the registry at HOST:PORT over plain HTTP; it looks at each pull."""
    folder = home / "registries" / address
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hosts.toml").write_text(HOSTS.format(address=address))


def push(address: str, image: Image, *, name: str, tag: str) -> str:
    """Put an image there as NAME:TAG; the digest of its manifest."""
    blobs = [(image.manifest, CONFIG), *((layer.data, LAYER) for layer in image.layers)]
    described = [_put_blob(f"http://{address}/v2/{name}/blobs", data, kind) for data, kind in blobs]
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
    data = json.dumps(body).encode()
    _call("PUT", f"http://{address}/v2/{name}/manifests/{tag}", data, kind=MANIFEST)
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _put_blob(place: str, data: bytes, kind: str) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    try:
        _call("HEAD", f"{place}/{digest}")
    except HTTPError as error:
        if error.code != 404:
            raise
        upload = urljoin(place, _call("POST", f"{place}/uploads/"))
        _call("PUT", f"{upload}{'&' if '?' in upload else '?'}digest={digest}", data)
    return {"mediaType": kind, "size": len(data), "digest": digest}


def _call(method: str, url: str, data: bytes | None = None, *, kind: str = BYTES) -> str:
    """Where the answer says to go on."""
    request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)  # noqa: S310 - our own http
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as answer:
        return str(answer.headers.get("Location") or "")
