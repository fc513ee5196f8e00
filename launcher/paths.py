"""Where things lie: the project's root and the folder that holds all state."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from launcher.problems import Problem

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


@dataclass(frozen=True)
class State:
    """One state folder. Everything with a name on the machine derives it from `short`."""

    folder: Path

    @classmethod
    def from_environment(cls) -> "State":
        """`BERTH_STATE`, or `var` beside the program."""
        return cls(Path(os.environ.get("BERTH_STATE") or ROOT / "var").expanduser().resolve())

    @cached_property
    def short(self) -> str:
        """Eight hex digits that stand for this folder in names of links, cgroups and the like."""
        return hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:8]

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def engine(self) -> Path:
        return self.folder / "engine"

    def prepare(self) -> None:
        """Make the folders, readable by their owner only; raise `Problem` if that is not possible."""
        for folder in (self.folder, self.keys, self.run, self.logs):
            make_folder(folder)


def make_folder(folder: Path) -> None:
    """Make a folder with mode 700, or say plainly why not."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"The state folder {folder} cannot be made: {error.strerror}.",
            hint="Set BERTH_STATE to a folder you may write to.",
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Problem(
            f"The state folder {folder} is not writable.",
            hint="Set BERTH_STATE to a folder you may write to, or run as the user it belongs to.",
        )
