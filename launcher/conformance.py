"""The tests by which registries show that they keep to the OCI distribution specification: one program, built once."""

import os
from pathlib import Path

from launcher.commands import find
from launcher.kubernetes.binaries import beside, go, one_at_a_time

MODULE = "github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111"


def program() -> Path:
    """Where it lies, with its version in its name."""
    return beside(f"oci-{MODULE.rpartition('-')[2]}") / "conformance"


def why_not() -> str:
    """Why it cannot be had on this machine; empty where it can."""
    if not program().exists() and find("go") is None:
        return "the OCI conformance tests are not built yet, and Go (1.24 or later) is not installed"
    return ""


def build() -> Path:
    """Build it where it is not there yet. Raises `Problem` with the way out."""
    with one_at_a_time("conformance"):
        if not program().exists():
            env = {"GOBIN": str(program().parent), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath -buildvcs=false"}
            go(["install", "-ldflags", "-s -w", MODULE], env=os.environ | env)
    return program()
