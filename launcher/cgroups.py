"""Remove the control groups a private engine leaves behind."""

from contextlib import suppress
from pathlib import Path

from launcher.processes import until

TREE = Path("/sys/fs/cgroup")


def groups(name: str) -> list[Path]:
    """The group called `name` at the top of every hierarchy (one on cgroup v2, one per controller on v1)."""
    return [path for top in (TREE, *TREE.glob("*/")) if (path := top / name).is_dir() and not path.is_symlink()]


def remove(name: str, *, seconds: float = 5) -> bool:
    """Remove `name` with all below it, deepest first. False if some group is still in use after so long."""

    def gone() -> bool:
        for top in groups(name):
            for path in sorted([top, *top.rglob("*/")], key=lambda path: len(path.parts), reverse=True):
                with suppress(OSError):
                    path.rmdir()
        return not groups(name)

    return until(gone, seconds=seconds, every=0.05)
