"""The virtual environment with the locked packages."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launcher.commands import attempt
from launcher.packages import install as install_packages
from launcher.problems import Problem

RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"  # holds all of the other one too


class Environment:
    """The virtual environment beside the program, and a stamp in it that says what it holds."""

    def __init__(self, root: Path, *, folder: Path | None = None) -> None:
        self.root = root
        self.folder = folder or root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / "berth-installed.json"

    def current(self, lock: str) -> bool:
        """Whether just this lock file, or one that holds it, was installed by this version of Python."""
        wanted = {name: self.fingerprint(name) for name in (lock, DEVELOPMENT)}
        try:
            held = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return False
        return self.usable and any(held.get(name) == mark for name, mark in wanted.items())

    @property
    def usable(self) -> bool:
        """Whether there is a Python in it that this user may run."""
        return os.access(self.python, os.X_OK)

    def fingerprint(self, lock: str) -> str:
        """Changes with the lock file's content and with Python's version."""
        version = ".".join(map(str, sys.version_info[:2])).encode()
        return hashlib.sha256(version + (self.root / lock).read_bytes()).hexdigest()

    def install(self, lock: str) -> str:
        """Make the environment hold what the lock file names; gives back with which tool.

        Raises `Problem` with the tool's last words.
        """
        if not os.access(self.folder if self.folder.exists() else self.folder.parent, os.W_OK):
            raise Problem(
                f"{self.folder} belongs to another user, so nothing can be installed there.",
                hint="Run as that user, or from a copy of your own.",
            )
        tool = self.installer()
        self.create(tool)
        done = self.sync(tool, lock=lock)
        if done.returncode != 0 and tool != ["pip"]:
            tool = ["pip"]
            self.create(tool)
            done = self.sync(tool, lock=lock)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise Problem(
                f"The packages in {lock} could not be installed: {said}",
                hint="Check that this machine reaches a package index (PIP_INDEX_URL), then try again.",
            )
        self.stamp.write_text(json.dumps({lock: self.fingerprint(lock)}))
        return tool[-1]

    def installer(self) -> list[str]:
        """The words that call uv, or `pip` alone."""
        if shutil.which("uv"):
            return ["uv"]
        if attempt([sys.executable, "-m", "uv", "--version"]).returncode == 0:
            return [sys.executable, "-m", "uv"]
        return ["pip"]

    def create(self, tool: Sequence[str]) -> None:
        """Make the environment if it is not there or has lost its Python."""
        wanted = self.folder / "bin" / ("pip" if tool == ["pip"] else "python")
        if wanted.exists() and attempt([str(self.python), "-c", ""]).returncode == 0:
            return
        if tool != ["pip"]:
            done = attempt([*tool, "venv", "--clear", "--python", sys.executable, str(self.folder)])
        else:
            self.have_ensurepip()
            done = attempt([sys.executable, "-m", "venv", "--clear", str(self.folder)])
        if done.returncode != 0:
            raise Problem(f"{self.folder} could not be made: {(done.stderr or done.stdout).strip()[-800:]}")

    def have_ensurepip(self) -> None:
        """Debian keeps the part of Python that fills a new environment in a package of its own."""
        if attempt([sys.executable, "-c", "import ensurepip, venv"]).returncode != 0:
            install_packages(["python3-venv"])

    def sync(self, tool: Sequence[str], *, lock: str) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"PYTHONSAFEPATH": ""}
        env.pop("PYTHONPATH", None)
        if tool == ["pip"]:
            words = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        else:
            words = [*tool, "pip", "install", "--quiet", "--python", str(self.python)]
        return attempt([*words, "--require-hashes", "-r", str(self.root / lock)], env=env)
