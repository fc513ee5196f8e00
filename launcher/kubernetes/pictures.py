"""Images that every node holds from the start: what keeps a pod together, and the sample images."""

from collections.abc import Sequence
from pathlib import Path

from launcher.commands import attempt, run
from launcher.image_archive import Image, archive
from launcher.kubernetes import node
from launcher.problems import Problem
from launcher.sample_images import NAME, images, machine, static_busybox, tools

_WAIT = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"


def pause() -> Image:
    """The image of a pod's first container, which waits and takes in orphans."""
    config = {"Entrypoint": ["/bin/sh", "-c", _WAIT], "Env": ["PATH=/bin"], "User": "65534:65534"}
    return Image((node.PAUSE,), (tools(static_busybox()),), config, machine(), ("busybox, static",))


def load(into: Sequence[str], *, folder: Path) -> None:
    """Import them by containerd's client; `into`: the words that lead into the node's namespaces."""
    held = attempt([*into, *client(), "image", "ls", "-q"]).stdout.split()
    if node.PAUSE in held and any(name.startswith(f"docker.io/{NAME}@") for name in held):
        return
    import_archive(into, archive([pause()]), folder=folder, prefix=node.PAUSE.rpartition(":")[0])
    import_archive(into, archive(images()), folder=folder, prefix=f"docker.io/{NAME}")


def import_archive(into: Sequence[str], data: bytes, *, folder: Path, prefix: str) -> None:
    """`prefix`: the repository all of the archive's images are of; each is also known by its digest then."""
    file = folder / "images.tar"
    file.write_bytes(data)
    try:
        run([*into, *client(), "image", "import", "--base-name", prefix, "--digests", str(file)])
    except Problem as problem:
        raise Problem(f"The sample images could not be imported: {problem.message}") from problem
    finally:
        file.unlink()


def client() -> list[str]:
    return ["ctr", "--address", node.SOCKET, "--namespace", "k8s.io"]
