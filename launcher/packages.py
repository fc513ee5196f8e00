"""Debian packages: which are missing, and install them where that is allowed."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher.commands import attempt, find
from launcher.problems import Problem

ENGINE = ("docker.io", "slirp4netns", "iproute2", "iptables", "tini")
IMAGES = ("busybox-static",)
REGISTRY = ("docker-registry", "openssl")
SOURCES = ("git",)  # images are built from git addresses too
CLIENTS = ("skopeo",)  # what people push and pull with, besides the engine's own
SERVICES = ("postgresql", "redis-server")
BROWSER = ("chromium", "fonts-noto-cjk")
KUBERNETES = (
    "busybox-static",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "docker-registry",
    "etcd-server",
    "iproute2",
    "iptables",
    "nftables",
    "openssl",
    "runc",
)
TRANSLATION = ("gettext",)
POLICY = Path("/usr/sbin/policy-rc.d")


def lacking(packages: Sequence[str]) -> list[str]:
    """Those of the packages that are not installed. All of them on a machine that is not a Debian."""
    seen = attempt(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages]).stdout
    return [name for name in packages if f"{name} installed" not in seen.splitlines()]


def install(packages: Sequence[str]) -> list[str]:
    """Install what is missing; gives back what was installed.

    Raises `Problem` with the exact command where we may not or cannot. Services that come with a package are
    not started: what Berth needs it starts itself, apart from the rest of the machine.
    """
    missing = lacking(packages)
    if not missing:
        return []
    refuse_if_impossible(missing)
    words = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    with services_asleep():
        done = attempt(words, env=env)
        if done.returncode != 0:
            attempt(["apt-get", "update"], env=env)
            done = attempt(words, env=env)
    if done.returncode != 0:
        raise Problem(
            f"apt-get could not install {', '.join(missing)}: {done.stderr.strip()[-800:]}",
            hint=way_out(missing),
        )
    return missing


def refuse_if_impossible(missing: Sequence[str]) -> None:
    if find("apt-get") is None:
        raise Problem(
            f"This machine has no apt-get, so these cannot be installed: {', '.join(missing)}.",
            hint="Install them in this system's own way.",
        )
    if os.geteuid() != 0:
        raise Problem(f"These Debian packages are missing: {', '.join(missing)}.", hint=way_out(missing))


def way_out(missing: Sequence[str]) -> str:
    """The command that installs these packages."""
    return f"Install them as root with: apt-get install -y {' '.join(missing)}"


@contextmanager
def services_asleep() -> Iterator[None]:
    """While this lasts, installing a package starts no service (Debian's policy-rc.d)."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)
