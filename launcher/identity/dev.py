"""`./berth up --keystone dev`: a Keystone with two organizations, four tenants and an account for each role."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from launcher.identity.admin import Admin
from launcher.identity.server import LOCK, PrivateKeystone, environment, write_private
from launcher.paths import State
from launcher.problems import Problem

SYNC = "berth-sync"
ORGANIZATIONS = {"acme": ("acme", "acme-lab"), "globex": ("globex", "globex-lab")}
# account -> its organization, its role, and where: the organization itself ("domain"), its first project, the system
ACCOUNTS = {
    "owner": ("acme", "manager", "domain"),
    "developer": ("acme", "developer", "project"),
    "releaser": ("acme", "releaser", "project"),
    "guest": ("acme", "reader", "project"),
    "auditor": ("acme", "auditor", "project"),
    "outsider": ("globex", "manager", "domain"),
    "operator": ("acme", "operator", "system"),
}


@dataclass
class Seeded:
    """What was made, by name; passwords are nowhere else."""

    passwords: dict[str, str] = field(default_factory=dict)


def folder(state: State) -> Path:
    return state.folder / "keystone"


def connection_file(state: State) -> Path:
    """Where the portal's settings find the identity service (portal/environment.py reads it)."""
    return state.keys / "keystone.json"


def install(state: State, *, may_install: bool) -> tuple[Path, str]:
    """The Python of Keystone's environment, and what was done for it."""
    own = environment(folder(state))
    if own.current(LOCK):
        return own.python, "Packages of Keystone are there"
    if not may_install:
        raise Problem("Keystone is not installed, and --no-install forbids it.", hint="Run it without --no-install.")
    folder(state).mkdir(mode=0o700, parents=True, exist_ok=True)
    return own.python, f"Packages of Keystone installed with {own.install(LOCK)}"


def start(state: State, python: Path) -> tuple[PrivateKeystone, Seeded]:
    """Start it and seed it once. `Seeded` is empty where it was seeded before."""
    server = PrivateKeystone.of(folder(state) / "data", python)
    server.start()
    stamp = server.folder / "seeded.json"
    if stamp.exists():
        known = json.loads(stamp.read_text())
        connect(state, server, user=known["sync_user"], password=known["sync_password"])
        return server, Seeded()
    password = secrets.token_urlsafe(24)
    seeded, user = seed(server.admin(), sync_password=password)
    write_private(stamp, json.dumps({"sync_user": user, "sync_password": password}))
    connect(state, server, user=user, password=password)
    return server, seeded


def there(state: State) -> PrivateKeystone | None:
    """The one that was started for this state folder before, running or not."""
    data = folder(state) / "data"
    return PrivateKeystone.of(data, environment(folder(state)).python) if data.is_dir() else None


def connect(state: State, server: PrivateKeystone, *, user: str, password: str) -> None:
    """Tell the portal where it is and with which account to read it."""
    write_private(connection_file(state), json.dumps({"url": server.url, "user": user, "password": password}))


def disconnect(state: State) -> None:
    connection_file(state).unlink(missing_ok=True)


def seed(admin: Admin, *, sync_password: str) -> tuple[Seeded, str]:
    """Organizations, projects, people, and the account Berth reads with: never `admin`. Gives back that one's id."""
    domains = {name: admin.domain(name) for name in ORGANIZATIONS}
    projects = {name: admin.project(name, domains[home]) for home, names in ORGANIZATIONS.items() for name in names}
    sync = sync_account(admin, sync_password, domains=list(domains.values()))
    seeded = Seeded()
    for name, (home, role, where) in ACCOUNTS.items():
        seeded.passwords[name] = secrets.token_urlsafe(12)
        user = admin.user(name, domains[home], seeded.passwords[name])
        places = {"domain": {"domain": domains[home]}, "project": {"project": projects[home]}, "system": {}}
        admin.grant(role, user, **places[where])
    return seeded, sync


def sync_account(admin: Admin, password: str, *, domains: list[str]) -> str:
    """A reader of the system and manager of these domains; its id."""
    user = admin.user(f"{SYNC}-{secrets.token_hex(3)}", "default", password)
    admin.grant("reader", user)
    for domain in domains:
        admin.grant("manager", user, domain=domain)
    return user
