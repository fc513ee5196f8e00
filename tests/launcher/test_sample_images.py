"""Sample images: the same bytes every time, and what the portal reads from them."""

import io
import json
import tarfile
from pathlib import Path

from launcher.image_archive import Entry, archive, pack
from launcher.sample_images import images, is_static, static_busybox


def test_the_same_files_give_the_same_ids() -> None:
    assert [image.id for image in images()] == [image.id for image in images()]
    assert len({image.id for image in images()}) == 4


def test_the_archive_names_every_image_and_shares_its_layers() -> None:
    made = images()
    with tarfile.open(fileobj=io.BytesIO(archive(made))) as tar:
        names = tar.getnames()
        index = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    assert sorted(tag for entry in index for tag in entry["RepoTags"]) == [
        "berth/hello:1",
        "berth/hello:2",
        "berth/hello:crash",
        "berth/hello:unhealthy",
    ]
    assert len([name for name in names if name.endswith("layer.tar")]) == 2
    assert {entry["Config"] for entry in index} <= set(names)


def test_an_image_says_what_a_deployer_needs() -> None:
    config = images()[0].config
    assert config["ExposedPorts"] == {"8080/tcp": {}}
    assert config["User"] == "65534:65534"
    assert "healthz" in str(config["Healthcheck"])
    labels = config["Labels"]
    assert isinstance(labels, dict)
    assert labels["org.opencontainers.image.version"] == "1"
    assert labels["org.opencontainers.image.title"] == "hello"


def test_a_layer_holds_files_links_and_folders() -> None:
    layer = pack([Entry("d"), Entry("d/f", data=b"x", mode=0o644), Entry("d/l", link="f")])
    with tarfile.open(fileobj=io.BytesIO(layer.data)) as tar:
        members = {member.name: member for member in tar.getmembers()}
    assert members["d"].isdir()
    assert (members["d/f"].size, members["d/f"].mode, members["d/f"].uid) == (1, 0o644, 0)
    assert members["d/l"].linkname == "f"


def test_static_programs_are_told_from_others() -> None:
    assert is_static(static_busybox().read_bytes())
    assert not is_static(Path("/bin/sh").resolve().read_bytes())
    assert not is_static(b"#!/bin/sh\n")
    assert not is_static(b"")
