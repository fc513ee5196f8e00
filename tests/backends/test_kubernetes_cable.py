"""A stream whose cable is cut says so: a watch may rightly be silent for a minute, so silence alone tells little."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.kubernetes import wire

pytestmark = pytest.mark.kubernetes

ROOT = Path(__file__).parents[2]
NOTICED = wire.PROBES[wire.socket.TCP_KEEPIDLE] + (
    wire.PROBES[wire.socket.TCP_KEEPINTVL] * (1 + wire.PROBES[wire.socket.TCP_KEEPCNT])
)


def test_a_cut_cable_is_noticed_long_before_silence_is() -> None:
    assert NOTICED < 60
    words = ["unshare", "--net", sys.executable, "-m", "tests.backends.cut_cable", "60"]
    told = subprocess.run(
        words, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (told.stdout.strip(), told.returncode) == ("engine_away", 0), told.stderr
