"""The private cluster's own authorities, certificates and kubeconfigs, all below one folder."""

import base64
import json
from pathlib import Path

from launcher.commands import run
from launcher.paths import make_folder

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
DAYS = "3650"
ADMIN = "/O=system:masters/CN=admin"


class Certificates:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def authorities(self) -> None:
        """`ca` for everybody, `front` for what the API server hands on, `sa` for tokens of service accounts."""
        make_folder(self.folder)
        for name in ("ca", "front"):
            if not (self.folder / f"{name}.pem").exists():
                subject = ["-subj", f"/CN=berth-{name}", "-keyout", self.path(f"{name}.key")]
                run(["openssl", "req", "-x509", *KEY, "-days", DAYS, *subject, "-out", self.path(f"{name}.pem")])
        if not (self.folder / "sa.key").exists():
            key = self.path("sa.key")
            run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key])
            run(["openssl", "ec", "-in", key, "-pubout", "-out", self.path("sa.pub")])

    def issue(self, name: str, subject: str, *, names: str = "", authority: str = "ca") -> None:
        """A certificate for a server and a client; `names`: what else it is called, in openssl's words."""
        if (self.folder / f"{name}.pem").exists():
            return
        extensions = self.folder / f"{name}.ext"
        alternative = f"subjectAltName={names}\n" if names else ""
        extensions.write_text(f"{alternative}extendedKeyUsage=serverAuth,clientAuth\n")
        request = self.path(f"{name}.csr")
        asked = ["-subj", subject, "-keyout", self.path(f"{name}.key"), "-out", request]
        run(["openssl", "req", *KEY, *asked])
        signer = ["-CA", self.path(f"{authority}.pem"), "-CAkey", self.path(f"{authority}.key"), "-CAcreateserial"]
        end = ["-extfile", str(extensions), "-out", self.path(f"{name}.pem")]
        run(["openssl", "x509", "-req", "-days", DAYS, "-in", request, *signer, *end])

    def kubeconfig(self, name: str, subject: str, *, server: str) -> str:
        """Write a kubeconfig with a certificate of its own; its path."""
        self.issue(name, subject)
        path = self.folder / f"{name}.kubeconfig"
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(self._config(name, server)))
            fresh.replace(path)
        return str(path)

    def _config(self, name: str, server: str) -> dict[str, object]:
        cluster = {"server": server, "certificate-authority-data": self._encoded("ca.pem")}
        user = {
            "client-certificate-data": self._encoded(f"{name}.pem"),
            "client-key-data": self._encoded(f"{name}.key"),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "berth",
            "clusters": [{"name": "berth", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "berth", "context": {"cluster": "berth", "user": name}}],
        }

    def _encoded(self, name: str) -> str:
        return base64.b64encode((self.folder / name).read_bytes()).decode()
