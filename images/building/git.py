"""Sources from a git address: one commit, without its history, and nothing of what hangs on it elsewhere.

The address is judged and its number taken once (core.foreign); git is told that number, so that the name cannot come
to mean another one. It is led nowhere else, asks nobody, and runs nothing of what it brings.
"""

import base64
import contextlib
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import certifi
from django.conf import settings

from core.foreign import Target, target
from core.secrets import Secret
from images.building.problems import BuildProblem

PROGRAM = "git"
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z", re.ASCII)
REVISION = re.compile(r"(?!-)(?!.*\.\.)(?!.*//)[A-Za-z0-9_./+-]{1,200}(?<![/.])\Z", re.ASCII)
MEMORY_BYTES = 2 * 2**30
LOOK_SECONDS = 0.2
SAID = 400


@dataclass(frozen=True)
class Wanted:
    """`user` and `secret` are shown at this address alone."""

    address: str
    revision: str
    user: str = ""
    secret: Secret | None = None


def there() -> bool:
    return shutil.which(PROGRAM) is not None


def fetch(wanted: Wanted, archive: Path, *, most: int, seconds: int, given_up: Callable[[], bool]) -> str:
    """Write the files of that commit as a tar file; answers which commit it is. Errors: Refused, BuildProblem."""
    if not there():
        raise BuildProblem("git_missing")
    called = target(wanted.address)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        home = Path(folder)
        env = _environment(wanted, called, home)
        run = _Running(home, env, time.monotonic() + seconds, seconds, most, given_up)
        run.git("init", "--quiet", "--bare", "repository")
        git = ("--git-dir", str(home / "repository"))
        (home / "repository" / "info").mkdir(exist_ok=True)
        (home / "repository" / "info" / "attributes").write_text("* -export-ignore -export-subst\n")
        revision = wanted.revision or "HEAD"
        run.git(*git, "fetch", "--quiet", "--depth", "1", "--no-tags", "--", wanted.address, revision)
        commit = run.git(*git, "rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()
        if not COMMIT.match(commit):
            raise BuildProblem("git_refused", said=commit[:SAID])
        run.git(*git, "archive", "--format=tar", f"--output={archive}", commit)
        return commit


def _environment(wanted: Wanted, called: Target, home: Path) -> dict[str, str]:
    """All that git knows is what stands here."""
    known = {
        "protocol.allow": "never",
        "protocol.https.allow": "always",
        "http.followRedirects": "false",
        "http.curloptResolve": f"{called.host}:{called.port}:{','.join(_written(one) for one in called.numbers)}",
        "http.proxy": "",
        "http.sslVerify": "true",
        "http.sslCAInfo": str(_authorities(home)),
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": "30",
        "core.hooksPath": "/dev/null",
        "core.askPass": "",
        "credential.helper": "",
        "fetch.unpackLimit": "1",  # one file, whose size is limited
        "fetch.fsckObjects": "true",
        "transfer.bundleURI": "false",
        "gc.auto": "0",
        "uploadpack.advertiseBundleURIs": "false",
    }
    if wanted.secret:
        shown = base64.b64encode(f"{wanted.user or 'git'}:{wanted.secret.reveal()}".encode()).decode()
        known[f"http.{called.place}/.extraHeader"] = f"Authorization: Basic {shown}"
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_CONFIG_COUNT": str(len(known)),
    }
    for number, (name, value) in enumerate(known.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _written(number: str) -> str:
    return f"[{number}]" if ":" in number else number


def _authorities(home: Path) -> Path:
    """Whom the system trusts, the usual authorities, and those that operators add: in one file, as git wants it."""
    found = [Path(certifi.where()), Path("/etc/ssl/certs/ca-certificates.crt")]
    if settings.OUTBOUND["authorities"]:
        found.append(Path(settings.OUTBOUND["authorities"]))
    file = home / "authorities.pem"
    file.write_text("\n".join(one.read_text() for one in found if one.is_file()))
    return file


@dataclass(frozen=True)
class _Running:
    home: Path
    env: Mapping[str, str]
    end: float
    seconds: int
    most: int
    given_up: Callable[[], bool]

    def git(self, *words: str) -> str:
        """What it says. It is ended when its time is over, or nobody wants it any more."""
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
            child = subprocess.Popen(  # noqa: S603  its words are ours; address and revision were judged
                [PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=said, stderr=complaints, env=dict(self.env),
                cwd=self.home, preexec_fn=self._limit, start_new_session=True,
            )  # fmt: skip
            try:
                self._wait(child)
            finally:
                _kill(child)
            if child.returncode != 0:
                raise self._failed(child.returncode, _tail(complaints))
            return _tail(said)

    def _wait(self, child: "subprocess.Popen[bytes]") -> None:
        while True:
            try:
                child.wait(timeout=LOOK_SECONDS)
                return
            except subprocess.TimeoutExpired:
                if time.monotonic() > self.end:
                    raise BuildProblem("git_slow", most=self.seconds) from None
                if self.given_up():
                    raise BuildProblem("git_slow", most=self.seconds) from None

    def _limit(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.most, self.most))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def _failed(self, code: int, said: str) -> BuildProblem:
        if code == -25 or "File too large" in said or "file size limit" in said.lower() or "signal 25" in said:
            return BuildProblem("git_large", most=self.most)
        return BuildProblem("git_refused", said=" ".join(said.replace(str(self.home), "").split())[:SAID])


def _kill(child: "subprocess.Popen[bytes]") -> None:
    """With all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, 9)
    child.wait()


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 4000))
    return file.read().decode("utf-8", "replace")
