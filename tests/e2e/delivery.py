"""A portal with a registry beside it that people push to and hosts fetch from; and images whose packages are known."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from launcher.image_archive import Entry, archive, pack
from launcher.paths import State
from launcher.registry import Berth, PrivateRegistry
from launcher.sample_images import images
from tests.e2e.grounds import Ground
from tests.e2e.portal import Portal, free_port, until
from tests.faults.caller import SHOP, Caller
from tests.scanning.advisories import zipped
from tests.scanning.images import DEBIAN, deb

PEOPLE = {"dora": "project.developer", "rita": "project.release_manager"}
MAKE = """
from tenants.models import Grant, Project, User
project = Project.objects.get(name="shop")
for name, role in {people!r}.items():
    user = User.objects.create_user(name, password={password!r})
    Grant.objects.create(user=user, role=role, tenant=project.tenant, project=project)
"""
ACCOUNT = """
from images.models import PullAccount
from images.promotion.places import path_of
from apps.models import Environment
place = Environment.objects.get(name={name!r})
row = PullAccount.objects.get(place=place.engine_name)
print(place.engine_name, path_of(place.project_id, place.stage), str(row) + ":" + row.secret.reveal())
"""


@dataclass(frozen=True)
class Stage:
    """An environment's engine name, its stage's own repository, and its account (NAME:PASSWORD)."""

    place: str
    path: str
    account: str


@dataclass(frozen=True)
class Delivery:
    """`address` is HOST:PORT of the registry."""

    portal: Portal
    ground: Ground
    address: str
    home: Path

    def image(self, tag: str, *, name: str = "web") -> str:
        return f"{self.address}/demo/shop/{name}:{tag}"

    def push(
        self, sample: str, tag: str, *, name: str = "web", packages: Mapping[str, str], built: str = "by-debian"
    ) -> str:
        """A sample as Debian's packages would have it ({name: version}), pushed by the developer; its digest there.

        With another word for how it was `built` it is another image of the same layers.
        """
        file = self.home / f"{sample}-{built}.tar"
        if not file.exists():
            file.write_bytes(made_of(sample, packages, built))
        to = ["--dest-tls-verify=false", "--dest-creds", f"dora:{self.portal.password}"]
        self.skopeo("copy", *to, f"docker-archive:{file}", f"docker://{self.image(tag, name=name)}")
        return str(self._told(tag, name)["Digest"])

    def layers(self, tag: str, *, name: str = "web") -> list[str]:
        """The digests of an image's layers, the lowest first."""
        return list(self._told(tag, name)["Layers"])

    def _told(self, tag: str, name: str) -> dict[str, Any]:
        own = ["--tls-verify=false", "--creds", f"dora:{self.portal.password}"]
        told = self.skopeo("inspect", *own, f"docker://{self.image(tag, name=name)}")
        found: dict[str, Any] = json.loads(told.stdout)
        return found

    def learn(self, *advisories: dict[str, Any]) -> str:
        """As an operator who imports them; what is said of it."""
        return self.portal.manage("import_vulnerabilities", str(zipped(self.home / "all.zip", advisories)))

    def fetches(self, account: str, reference: str) -> bool:
        """Whether somebody gets a manifest of the registry, as an engine that holds nothing asks for it."""
        asked = ["inspect", "--raw", "--tls-verify=false", "--creds", account, f"docker://{reference}"]
        return self._run(*asked).returncode == 0

    def stage(self, name: str) -> Stage:
        return Stage(*self.portal.manage("shell", "-c", ACCOUNT.format(name=name)).splitlines()[-1].split(" "))

    def skopeo(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = self._run(*words)
        assert done.returncode == 0, done.stderr
        return done

    def caller(self, name: str) -> Caller:
        return Caller(self.portal.url, self.portal.manage("create_token", name, "--name", f"of {name}"))

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = shutil.which("skopeo")
        assert program is not None
        return subprocess.run([program, *words], capture_output=True, text=True, timeout=120, check=False)


def made_of(sample: str, packages: Mapping[str, str], built: str) -> bytes:
    """The archive of a sample image with a list of packages in it, as a system's own tools keep it."""
    status = "".join(deb(name, version) for name, version in packages.items()).encode()
    folders = [Entry(path) for path in ("etc", "var", "var/lib", "var/lib/dpkg")]
    files = {"etc/os-release": DEBIAN, "var/lib/dpkg/status": status}
    listed = pack([*folders, *(Entry(path, data=data, mode=0o644) for path, data in files.items())])
    plain = next(one for one in images() if one.references[0] == f"berth/hello:{sample}")
    history = (*plain.history, built)
    return archive([replace(plain, layers=(*plain.layers, listed), history=history, references=(f"web:{sample}",))])


@contextmanager
def delivering(ground: Ground, folder: Path) -> Iterator[Delivery]:
    """People who build and approve, in a portal whose registry the ground's hosts reach."""
    state_folder, home = folder / "portal", folder / "images"
    home.mkdir()
    portal = ground.portal(state_folder, ALLOWED_HOSTS=f"127.0.0.1,localhost,{ground.machine}")
    portal.port, portal.also = free_port(), ground.machine
    reached = f"http://{ground.machine}:{portal.port}/registry"
    state = State(portal.state)
    state.prepare()
    registry = PrivateRegistry(state)
    address = registry.start(ground.machine, Berth(f"{reached}/token", f"{reached}/events")).partition("://")[2]
    ground.let_fetch(address)
    try:
        portal.start()
        portal.manage("shell", "-c", MAKE.format(people=PEOPLE, password=portal.password))
        yield Delivery(portal, ground, address, home)
    finally:
        portal.stop()
        registry.destroy()


def rated(caller: Caller, digest: str, letter: str, *, seconds: float = 90) -> None:
    """Wait until an image's passport shows this rating."""

    def seen() -> Any:
        answer = caller.get(f"{SHOP}/passports/{digest}")
        return answer.json["scan"] if answer.status == 200 else None

    until(lambda: (seen() or {}).get("rating") == letter, seconds=seconds, said=seen)
