"""Archives of images, good ones and others, written by hand."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from typing import Any

from launcher.image_archive import Entry, Image, Layer, pack
from launcher.image_archive import archive as docker_archive
from launcher.sample_images import content, machine, static_busybox

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def busybox_layer() -> Layer:
    entries = [Entry("bin"), Entry("bin/busybox", data=static_busybox().read_bytes()), Entry("bin/sh", link="busybox")]
    return pack(entries)


def image(*names: str, layers: Iterable[Layer] = ()) -> Image:
    """Busybox, and a little beside it."""
    found = tuple(layers) or (busybox_layer(), content())
    config = {"Cmd": ["/bin/sh"], "ExposedPorts": {"8080/tcp": {}}, "Labels": {"org.opencontainers.image.title": "web"}}
    return Image(names, found, config, machine(), tuple(f"step {number}" for number, _layer in enumerate(found)))


def docker(*names: str) -> bytes:
    """As docker save writes it."""
    return docker_archive([image(*names)])


def packed_docker(name: str, layer: Layer) -> bytes:
    """As other builders write it, with a layer that is packed."""
    one = image(name, layers=[layer])
    listed = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar.gz"]}]
    files = {"config.json": one.manifest, "layer.tar.gz": gzip.compress(layer.data, 9, mtime=0)}
    return tar((f, data) for f, data in (files | {"manifest.json": json.dumps(listed).encode()}).items())


def layout(name: str = "web:1", *, packed: bool = True, **changed: bytes) -> bytes:
    """An OCI layout; `changed`: other contents for config, layer, manifest, under the digests of the right ones."""
    one = image()
    blobs: dict[str, bytes] = {}
    layers = []
    for layer in one.layers:
        data = gzip.compress(layer.data, mtime=0) if packed else layer.data
        layers.append(
            {"mediaType": f"application/vnd.oci.image.layer.v1.tar{'+gzip' if packed else ''}"} | put(blobs, data)
        )
    config = {"mediaType": CONFIG} | put(blobs, one.manifest)
    document = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode()
    manifest = {"mediaType": MANIFEST} | put(blobs, document)
    notes = {"org.opencontainers.image.ref.name": name} if name else {}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest | {"annotations": notes}]}
    for what, descriptor in (("config", config), ("layer", layers[-1]), ("manifest", manifest)):
        if what in changed:
            blobs[str(descriptor["digest"]).partition(":")[2]] = changed[what]
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    return tar(
        (f, data) for f, data in (files | {f"blobs/sha256/{name}": data for name, data in blobs.items()}).items()
    )


def put(blobs: dict[str, bytes], data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return {"digest": f"sha256:{digest}", "size": len(data)}


def tar(files: Iterable[tuple[str, bytes]]) -> bytes:
    return tar_of((entry(name, size=len(data)), data) for name, data in files)


def entry(name: str, **told: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in told.items():
        setattr(info, key, value)
    return info


def tar_of(members: Iterable[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()
