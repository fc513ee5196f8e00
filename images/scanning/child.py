"""The child process of a scan: `python -m images.scanning.child`, an archive or a layer as its standard input.

It takes its limits upon itself before it reads a byte: time, memory, no files to write, no network, no programs.
It needs nothing of Django, and says one JSON document.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

from images.scanning import state
from images.scanning.archive import Archive, Image, Layer, commands, image_in
from images.scanning.inventory import Inventory
from images.scanning.limits import Limits
from images.scanning.problems import ScanProblem

NEW_NETWORK = 0x40000000  # of unshare(2)
DIE_WITH_PARENT = 1  # of prctl(2)
REFUSED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "pty.", "ctypes.")


def main() -> int:
    asked = json.loads(sys.argv[1])
    limits = Limits(**asked["limits"])
    confine(limits)
    with os.fdopen(0, "rb") as file:
        said = answered(limits, lambda: one_layer(file, limits) if asked["piece"] else whole(file, limits, asked))
    sys.stdout.write(json.dumps(said))
    return 0


def answered(limits: Limits, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return look()
    except ScanProblem as problem:
        return {"problem": problem.as_json()}
    except MemoryError:
        return {"problem": ScanProblem("out_of_memory", most=limits.memory_bytes).as_json()}


def whole(file: IO[bytes], limits: Limits, asked: dict[str, Any]) -> dict[str, Any]:
    """All of the image of an archive."""
    image = image_in(Archive(file, limits), name=asked["name"], platform=asked["platform"])
    return {"found": Inventory(image, limits).gather()}


def one_layer(file: IO[bytes], limits: Limits) -> dict[str, Any]:
    """A line of JSON says the image and what is known of the layers below; the layer's bytes follow it, if any.

    Says what is known now; of the whole image once its last layer was read.
    """
    asked = json.loads(file.read(int(file.readline(20))))
    layers = tuple(Layer(at, diff_id, lambda: file) for at, diff_id in enumerate(asked["diff_ids"], 1))
    history = tuple(commands(asked["config"]))
    image = Image(layers, asked["config"], tuple(asked["digests"]), tuple(asked["names"]), history)
    inventory = Inventory(image, limits)
    if asked["state"]:
        state.restore(inventory, asked["state"])
    if len(inventory.sizes) < len(layers):
        inventory.lay(layers[len(inventory.sizes)])
    if len(inventory.sizes) < len(layers):
        return {"found": {"state": state.kept(inventory)}}
    return {"found": {"state": state.kept(inventory), "whole": inventory.told()}}


def confine(limits: Limits) -> None:
    """What is taken away here never comes back."""
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(DIE_WITH_PARENT, signal.SIGKILL)
    system.unshare(NEW_NETWORK)  # only root may; the hook below holds for everybody
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.answer_bytes, limits.answer_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event.startswith(REFUSED):
        raise PermissionError(f"a scan does not do this: {event}")
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        raise PermissionError("a scan writes no files")


if __name__ == "__main__":
    sys.exit(main())
