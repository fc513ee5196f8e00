"""The private Keystone's process: one for a folder, on loopback, with keys that only its owner reads."""

import json
import os
import secrets
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

from launcher.identity.admin import Admin
from launcher.install import Environment
from launcher.paths import ROOT
from launcher.problems import Problem
from launcher.processes import Mark, rotate, spawn, until
from launcher.services import free_port

LOCK = "launcher/identity/requirements.txt"
SERVE = Path(__file__).with_name("serve.py")
HOST = "127.0.0.1"
START_SECONDS = 180.0  # a first start makes a database; on a busy machine that takes a minute

CONFIG = """\
[DEFAULT]
public_endpoint = {url}
use_stderr = true
[database]
connection = sqlite:///{folder}/keystone.db
sqlite_synchronous = false
[identity]
max_password_length = 72
password_hash_rounds = 4
[token]
expiration = 3600
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/receipts
[credential]
key_repository = {folder}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
[auth]
methods = external,password,token,oauth1,mapped,application_credential,totp
[oslo_policy]
enforce_scope = true
enforce_new_defaults = true
policy_file = {folder}/policy.yaml
"""
# What the manager of a domain may give away there: Keystone's own three and ours. `admin` stays out of reach.
GIVEN = ("manager", "member", "reader", "developer", "releaser", "auditor")
POLICY = '"domain_managed_target_role": "{rule}"\n'


def environment(folder: Path) -> Environment:
    """The virtual environment Keystone runs in; its packages are not Berth's."""
    return Environment(ROOT, folder=folder / "venv")


@dataclass
class PrivateKeystone:
    """`start`, `stop` and `kill` keep the port and the data, so that an outage can be tried; `destroy` forgets all."""

    folder: Path
    python: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v3"

    @property
    def mark_file(self) -> Path:
        return self.folder / "keystone.mark"

    @property
    def log(self) -> Path:
        return self.folder / "keystone.log"

    def start(self) -> str:
        """Start it unless it runs; gives back its URL once it answers. Raises `Problem` that names its log."""
        if self.running():
            return self.url
        self.configure()
        rotate(self.log)
        with self.log.open("ab") as log:
            words = [str(self.python), str(SERVE), str(self.folder), HOST, str(self.port)]
            started = spawn(words, log=log, env=clean_environment())
        mark = Mark.of(started.pid)
        if mark:
            mark.save(self.mark_file)
            until(lambda: self.answers() or started.poll() is not None, seconds=START_SECONDS, every=0.1)
        if mark is None or started.poll() is not None or not self.answers():
            self.kill()
            raise Problem(f"Keystone did not start; its log is {self.log}.")
        return self.url

    def configure(self) -> None:
        """Folders of mode 700, the password of its first account, and its settings for the present port."""
        for folder in (self.folder, *(self.folder / name for name in ("fernet", "receipts", "credential"))):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        rule = " or ".join(f"'{name}':%(target.role.name)s" for name in GIVEN)
        write_private(
            self.folder / "keystone.conf", CONFIG.format(url=f"http://{HOST}:{self.port}", folder=self.folder)
        )
        write_private(self.folder / "policy.yaml", POLICY.format(rule=rule))
        password = self.folder / "admin_password"
        if not password.exists():
            write_private(password, secrets.token_urlsafe(24))
        write_private(self.folder / "place.json", json.dumps({"port": self.port}))

    @classmethod
    def of(cls, folder: Path, python: Path) -> "PrivateKeystone":
        """The one that was started here before, at its port; else a new one."""
        try:
            return cls(folder, python, int(json.loads((folder / "place.json").read_text())["port"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(folder, python)

    def admin(self) -> Admin:
        """Signed in as its first account, which may do everything. For seeding and tests; Berth never uses it."""
        return Admin(self.url, password=(self.folder / "admin_password").read_text())

    def answers(self) -> bool:
        return Admin.reachable(self.url)

    def running(self) -> Mark | None:
        return Mark.load(self.mark_file)

    def stop(self) -> bool:
        """End it; False if it was not running."""
        mark = self.running()
        if mark:
            mark.end(grace_seconds=5)
        self.mark_file.unlink(missing_ok=True)
        return mark is not None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        mark = self.running()
        if mark:
            mark.kill()

    def freeze(self) -> None:
        """Let it hang: it takes connections and answers nothing, until `thaw`."""
        mark = self.running()
        if mark:
            mark.send(signal.SIGSTOP)

    def thaw(self) -> None:
        mark = self.running()
        if mark:
            mark.send(signal.SIGCONT)

    def destroy(self) -> None:
        """End it and forget all its data."""
        self.thaw()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def clean_environment() -> dict[str, str]:
    """Ours without what would lead another Python to our own packages."""
    own = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        own.pop(name, None)
    return own


def write_private(path: Path, text: str) -> None:
    """A file only its owner reads, from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
