"""Layers packed with zstd: bombs of it, damage, and windows that would take all memory."""

import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from images.scanning.limits import MIB
from tests.scanning.images import Made, layer
from tests.scanning.test_hostile_images import refused


@pytest.mark.parametrize("window", [0, 27], ids=["usual", "long"])
def test_a_bomb_of_zstd_ends_at_its_ratio_too(tmp_path: Path, window: int) -> None:
    """One piece of it unpacks to hundreds of megabytes: never more is unpacked at once than is looked at."""
    more = zstandard.ZstdCompressionParameters(window_log=window) if window else None
    packer = zstandard.ZstdCompressor(compression_params=more).compressobj()
    info = tarfile.TarInfo("zeros")
    info.size = 256 * MIB
    parts = [packer.compress(info.tobuf()), *(packer.compress(b"\0" * MIB) for _part in range(256)), packer.flush()]
    code, said = refused(Made([b"".join(parts)], diff_ids=["sha256:x"]).docker(tmp_path))
    assert code == "layer_bomb"
    assert "Layer 1" in said


@pytest.mark.parametrize(
    ("cut", "code"),
    [
        (lambda data: data[: len(data) // 2], {"layer_ends", "layer_broken", "layer_digest"}),
        (lambda data: data[:4] + os.urandom(200), {"layer_broken"}),
        (lambda data: data + b"more", {"layer_broken", "layer_digest", "layer_ends"}),
    ],
    ids=["half", "noise", "something behind it"],
)
def test_damaged_zstd_is_said(tmp_path: Path, cut: Any, code: set[str]) -> None:
    made = zstandard.compress(layer({"f": os.urandom(100_000)}))
    said, _words = refused(Made([cut(made)], diff_ids=["sha256:x"]).docker(tmp_path))
    assert said in code


def test_a_window_that_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    more = zstandard.ZstdCompressionParameters(window_log=30, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=more).compressobj()
    data = packer.compress(layer({"f": b"x"})) + packer.flush()
    code, _said = refused(Made([data], diff_ids=["sha256:x"]).docker(tmp_path))
    assert code == "layer_broken"
