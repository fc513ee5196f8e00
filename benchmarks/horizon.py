"""OpenStack's own dashboard on the same Keystone: installed beside, served by one process, gone afterwards."""

import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.client import Client, Wrong
from benchmarks.machine import processor_seconds
from launcher.commands import run
from launcher.identity.server import clean_environment
from launcher.install import Environment
from launcher.paths import ROOT, State
from launcher.problems import Problem
from launcher.processes import until
from launcher.services import free_port

LOCK = "benchmarks/horizon.txt"
DOOR = "/auth/login/"
PAGE = "/identity/"
START_SECONDS = 180.0
SETTINGS = """
import os
DEBUG = False
COMPRESS_OFFLINE = True
ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = os.environ["BENCH_SECRET"]
OPENSTACK_KEYSTONE_URL = os.environ["BENCH_KEYSTONE"]
OPENSTACK_KEYSTONE_MULTIDOMAIN_SUPPORT = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
"""
SERVE = """
import sys
from django.core.wsgi import get_wsgi_application
import waitress
waitress.serve(get_wsgi_application(), host="127.0.0.1", port=int(sys.argv[1]), threads=4, ident=None)
"""


@dataclass(frozen=True)
class Horizon:
    port: int
    pid: int

    def sign_in(self, name: str, password: str, organization: str) -> tuple[Client, float, float]:
        """Who is in then, and seconds of the answer and of its processor."""
        client = Client(self.port)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(DOOR).body.decode())
        if found is None:
            raise Wrong("Horizon's door has no form")
        typed = {"csrfmiddlewaretoken": found[1], "username": name, "password": password}
        form = urlencode(typed | {"domain": organization, "region": "default"}).encode()
        before = processor_seconds(self.pid)
        answer = client.ask("POST", DOOR, body=form, wanted=302, Content_Type="application/x-www-form-urlencoded")
        return client, answer.seconds, processor_seconds(self.pid) - before

    def switch(self, client: Client, project: str) -> tuple[float, float]:
        """Seconds of the switch alone, and of the processor."""
        before = processor_seconds(self.pid)
        answer = client.ask("GET", f"/auth/switch/{project}/?next={PAGE}", wanted=302)
        return answer.seconds, processor_seconds(self.pid) - before

    def read(self, client: Client) -> tuple[float, float]:
        """The same of the page that follows."""
        before = processor_seconds(self.pid)
        return client.get(PAGE).seconds, processor_seconds(self.pid) - before


@contextmanager
def horizon(keystone: str) -> Iterator[Horizon]:
    """One that serves `keystone` (a URL). Raises Problem where it cannot be had."""
    python = installed()
    port = free_port()
    words = [str(python), "-c", SERVE, str(port)]
    with subprocess.Popen(
        words, env=variables(keystone), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until(lambda: answers(port) or process.poll() is not None, seconds=START_SECONDS, every=0.2)
            if process.poll() is not None:
                raise Problem("Horizon ended at once.")
            yield Horizon(port, process.pid)
        finally:
            process.terminate()


def variables(keystone: str = "") -> dict[str, str]:
    own = {"BENCH_KEYSTONE": keystone, "BENCH_SECRET": secrets.token_urlsafe(40)}
    return (
        clean_environment()
        | own
        | {"DJANGO_SETTINGS_MODULE": "openstack_dashboard.settings", "PYTHONWARNINGS": "ignore"}
    )


def installed() -> Path:
    """Its Python, in the lasting state folder; with its files compressed, as an operator installs it."""
    own = State.from_environment()
    own.prepare()
    folder = own.folder / "benchmarks"
    folder.mkdir(mode=0o700, exist_ok=True)
    environment = Environment(ROOT, folder=folder / "horizon")
    if not environment.current(LOCK):
        environment.install(LOCK)
    (packages,) = environment.folder.glob("lib/python*/site-packages")
    (packages / "openstack_dashboard/local/local_settings.py").write_text(SETTINGS)
    if not (packages / "static/dashboard/manifest.json").exists():
        for words in (("collectstatic", "--noinput"), ("compress",)):
            run([str(environment.python), "-m", "django", *words], env=variables())
    return environment.python


def answers(port: int) -> bool:
    try:
        Client(port).get(DOOR)
    except OSError:
        return False
    return True
