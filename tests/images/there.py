"""What lies in a registry, in place of its answers."""

from typing import Any

from images.registry import client, untagging
from images.registry.client import Found, RegistryAway

DIGEST, OTHER, CONFIG = ("sha256:" + letter * 64 for letter in "abc")
MARK = "sha256:" + "d" * 64
WEB = "acme/shop/web"


class There:
    """One repository, `acme/shop/web`. `away`: it does not answer."""

    def __init__(self) -> None:
        self.away = False
        self.tags: dict[str, str] = {"1": DIGEST}
        self.asked: list[str] = []
        layers = [{"digest": OTHER, "size": 1000}, {"digest": OTHER, "size": 500}]
        self.body: dict[str, Any] = {"config": {"digest": CONFIG, "size": 100}, "layers": layers}
        self.bodies: dict[str, dict[str, Any]] = {MARK: {"config": {"digest": untagging.CONFIGURATION_DIGEST}}}
        labels = {"org.opencontainers.image.title": "Web"}
        self.config: dict[str, Any] = {
            "os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z",
            "config": {
                "ExposedPorts": {"80/tcp": {}}, "User": "1000", "Labels": labels, "Env": ["PATH=/bin", "MODE=a=b", "X"],
                "Entrypoint": ["/web"], "Cmd": "serve", "WorkingDir": "/srv", "Volumes": {"/data": {}},
                "StopSignal": "SIGINT",
            },
            "history": [
                {"created": "2026-01-01T00:00:00Z", "created_by": "ADD base"},
                {"created_by": "ENV MODE=a=b", "empty_layer": True},
                {"created_by": "COPY web /web", "comment": "by hand"},
            ],
        }  # fmt: skip

    def manifest(self, _path: str, reference: str) -> Found | None:
        self._answer()
        digest = self.tags.get(reference, reference)
        return Found(digest, 50, self.bodies.get(digest, self.body)) if digest in self.tags.values() else None

    def digest_of(self, _path: str, tag: str) -> str:
        self._answer()
        self.asked.append(tag)
        return self.tags.get(tag, "")

    def configuration(self, _path: str, _digest: str) -> dict[str, Any]:
        self._answer()
        return self.config

    def delete(self, _path: str, digest: str) -> bool:
        self._answer()
        gone = [tag for tag, held in self.tags.items() if held == digest]
        for tag in gone:
            del self.tags[tag]
        return bool(gone)

    def place_blob(self, _path: str, _data: bytes, *, digest: str) -> None:
        self._answer()
        assert digest == untagging.CONFIGURATION_DIGEST

    def place_manifest(self, _path: str, tag: str, _data: bytes, *, kind: str) -> str:
        self._answer()
        assert kind == untagging.KIND
        self.tags[tag] = MARK
        return MARK

    def _answer(self) -> None:
        if self.away:
            raise RegistryAway("The registry does not answer.")

    def stand_in(self, monkeypatch: Any) -> None:
        names = ("manifest", "digest_of", "configuration", "delete", "place_blob", "place_manifest")
        for name in names:
            monkeypatch.setattr(client, name, getattr(self, name))
        monkeypatch.setattr(client, "catalogue", lambda: iter([WEB] if self.tags else []))
        monkeypatch.setattr(client, "tags", lambda _path: iter(sorted(self.tags)))
