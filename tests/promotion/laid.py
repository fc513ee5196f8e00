"""A registry's shelves behind Berth's own client: the requests it sends, answered as a registry answers them."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.structures import CaseInsensitiveDict

KIND = "application/vnd.oci.image.manifest.v1+json"


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, amount: int, decode_content: bool = True) -> bytes:
        return self._content[:amount]


@dataclass
class Registry:
    """`away`: it does not answer. `manifests`: {(path, digest): content}; `layers`: {(path, digest)}."""

    patch: pytest.MonkeyPatch
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    layers: set[tuple[str, str]] = field(default_factory=set)
    away: bool = False

    def __post_init__(self) -> None:
        shelf = self

        def request(_session: Any, method: str, url: str, **sent: Any) -> requests.Response:
            return shelf.answer(method, url, **sent)

        self.patch.setattr(requests.Session, "request", request)

    def put(self, path: str, text: str = "one") -> str:
        """An image with one layer; answers its digest."""
        config, layer = (f"sha256:{hashlib.sha256((text + part).encode()).hexdigest()}" for part in ("config", "layer"))
        body = {"mediaType": KIND, "config": {"digest": config}, "layers": [{"digest": layer}]}
        content = json.dumps(body).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.manifests[path, digest] = content
        self.layers |= {(path, config), (path, layer)}
        return digest

    def index(self, path: str, *parts: str) -> str:
        """An image for several platforms; answers its digest."""
        content = json.dumps({"manifests": [{"digest": part} for part in parts]}).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.manifests[path, digest] = content
        return digest

    def held(self, path: str) -> set[str]:
        return {digest for home, digest in self.manifests if home == path}

    def answer(self, method: str, url: str, **sent: Any) -> requests.Response:
        if self.away:
            raise requests.ConnectionError
        path, _slash, rest = urlsplit(url).path.removeprefix("/v2/").partition("/manifests/")
        if method == "POST":
            path = path.partition("/blobs/")[0]
            return self._mount(path, **sent["params"])
        key = (path, rest)
        if method == "PUT":
            self.manifests[key] = sent["data"]
            return _said(201)
        if key not in self.manifests:
            return _said(404)
        if method == "DELETE":
            del self.manifests[key]
            return _said(202)
        return _said(200, self.manifests[key], rest)

    def _mount(self, path: str, **params: str) -> requests.Response:
        if (params["from"], params["mount"]) not in self.layers:
            return _said(202)
        self.layers.add((path, params["mount"]))
        return _said(201)


def _said(status: int, content: bytes = b"", digest: str = "") -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.headers = CaseInsensitiveDict({"Content-Type": KIND, "Docker-Content-Digest": digest})
    answer.raw = _Raw(content)
    return answer
