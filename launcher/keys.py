"""The portal's secret keys, made once and readable by their owner only."""

import base64
import os
import secrets
from pathlib import Path

from launcher.commands import run
from launcher.problems import Problem


def make_keys(folder: Path) -> list[str]:
    """Make the keys that are not there yet; gives back their names. Existing keys are never changed.

    `secret_key` signs sessions. `field_keys` is a key ring, one key a line: the first encrypts, all decrypt.
    """
    wanted = {
        "secret_key": secrets.token_urlsafe(64),
        "field_keys": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    return [name for name, text in wanted.items() if make_key(folder / name, text=text)]


def make_registry_keys(folder: Path) -> None:
    """The key by which Berth signs what the registry believes, with its certificate; what the two show each other."""
    for name in ("registry_notices", "registry_http"):
        make_key(folder / name, text=secrets.token_urlsafe(32))
    key, certificate = folder / "registry_key", folder / "registry_certificate"
    if not key.exists():
        make_key(key, text=run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]).strip())
        certificate.unlink(missing_ok=True)
    if not certificate.exists():
        words = ["openssl", "req", "-new", "-x509", "-sha256", "-days", "7300", "-subj", "/CN=berth", "-key", str(key)]
        make_key(certificate, text=run(words).strip())


def make_key(path: Path, *, text: str) -> bool:
    """Write a key to a file of mode 600. False if it exists; then its mode is put right."""
    if path.exists():
        if not path.read_text().strip():
            raise Problem(
                f"The key file {path} is empty.",
                hint="Put its backup back. A new key cannot read what the old one encrypted.",
            )
        path.chmod(0o600)
        return False
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return True
