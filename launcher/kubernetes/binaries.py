"""The programs of the private cluster, built once from their published modules and kept outside of any checkout."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher.commands import find, run
from launcher.packages import KUBERNETES, lacking
from launcher.problems import Problem

PROGRAM = Path(__file__).parent / "program"
SOURCES = ("go.mod", "go.sum", "main.go")
VERSION = "1.34.4"
EXTRAS = {
    "coredns": "github.com/coredns/coredns@v1.12.4",
    "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server@v0.9.0",
    "local-path-provisioner": "github.com/rancher/local-path-provisioner@v0.0.30",
}


def cache() -> Path:
    """`BERTH_CACHE`, or the user's own cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("BERTH_CACHE") or Path(home) / "berth").expanduser().resolve() / "kubernetes"


def kube() -> Path:
    """The one program that is every part of Kubernetes, by its first argument."""
    digest = hashlib.sha256(b"".join((PROGRAM / name).read_bytes() for name in SOURCES))
    return cache() / digest.hexdigest()[:12] / "kube"


def beside(name: str) -> Path:
    return cache() / "bin" / name


def built() -> bool:
    return all(path.exists() for path in (kube(), *map(beside, EXTRAS)))


def why_not() -> str:
    """Why no cluster can be started on this machine; empty where one can."""
    if os.geteuid() != 0:
        return "a private cluster needs root, and you are another user"
    if missing := lacking(KUBERNETES):
        return f"packages are missing: apt-get install -y {' '.join(missing)}"
    if not built() and find("go") is None:
        return "its programs are not built yet, and Go (1.24 or later) is not installed"
    return ""


def build() -> None:
    """Build what is missing. Who comes while another builds waits for it. Raises `Problem` with the way out."""
    with one_at_a_time("kubernetes"):
        if not kube().exists():
            build_kube(kube())
        for name, module in EXTRAS.items():
            if not beside(name).exists():
                env = {"GOBIN": str(beside(name).parent), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath -buildvcs=false"}
                go(["install", "-ldflags", "-s -w", module], env=env)


@contextmanager
def one_at_a_time(what: str) -> Iterator[None]:
    """Of several that want to build `what` at once."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{what}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build_kube(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp = "-X k8s.io/component-base/version.git"
    flags = f"-s -w {stamp}Version=v{VERSION} {stamp}Major=1 {stamp}Minor={VERSION.split('.')[1]}"
    fresh = path.with_suffix(".new")
    go(["build", "-trimpath", "-ldflags", flags, "-o", str(fresh), "."], env={})
    fresh.replace(path)


def go(words: Sequence[str], *, env: dict[str, str]) -> None:
    if find("go") is None:
        raise Problem("Go is not installed.", hint="Install Go 1.24 or later, or name a cluster with --kubeconfig.")
    run(["go", *words], env=os.environ | env, cwd=PROGRAM)
