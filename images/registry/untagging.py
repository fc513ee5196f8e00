"""Taking one tag off an image in a registry that only deletes by digest.

The tag is put on a manifest of no meaning, and that is deleted: the tag goes with it, the image stays.
"""

import hashlib
import json

from images.registry import client

CONFIGURATION = b'{"comment":"a tag was taken off; this is deleted at once"}'
CONFIGURATION_DIGEST = f"sha256:{hashlib.sha256(CONFIGURATION).hexdigest()}"
KIND = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": KIND,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(CONFIGURATION),
            "digest": CONFIGURATION_DIGEST,
        },
        "layers": [],
    }
).encode()


def is_mark(found: client.Found) -> bool:
    """Whether this is the manifest of no meaning, and so nothing that somebody pushed."""
    config = found.body.get("config")
    return isinstance(config, dict) and config.get("digest") == CONFIGURATION_DIGEST


def untag(path: str, tag: str) -> None:
    """Two at once in one repository do each other no harm: whichever deletes first takes both tags off."""
    client.place_blob(path, CONFIGURATION, digest=CONFIGURATION_DIGEST)
    client.delete(path, client.place_manifest(path, tag, MANIFEST, kind=KIND))
