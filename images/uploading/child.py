"""The child process that looks through an archive: `python -m images.uploading.child`, the file as its standard input.

It takes its limits upon itself before it reads a byte: time, memory, no files to open for writing, no network, no
programs. It needs nothing of Django. Each line it says is a JSON document; the last one is the answer.
"""

import json
import os
import signal
import sys
import zlib
from typing import IO, Any

from images.scanning.child import confine
from images.scanning.limits import Limits
from images.scanning.problems import ScanProblem
from images.uploading.inspecting import plan
from images.uploading.walking import GZIP

CHUNK = 1024 * 1024


def main() -> int:
    asked = json.loads(sys.argv[1])
    limits = Limits(**asked["limits"])
    confine(limits)
    signal.signal(signal.SIGXCPU, _out_of_time)
    say(answer(limits, asked))
    return 0


def answer(limits: Limits, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        with os.fdopen(0, "rb", buffering=0) as file:
            opened, size = unpacked(file, asked)
            with opened:
                found = plan(opened, size, limits, name=asked["name"], platform=asked["platform"], tell=say)
            return {"plan": found}
    except ScanProblem as problem:
        return {"problem": problem.as_json()}
    except MemoryError:
        return {"problem": ScanProblem("out_of_memory", most=limits.memory_bytes).as_json()}
    except OSError as error:  # of the one file it writes
        return {"problem": ScanProblem("upload_no_room").as_json(), "said": str(error)}


def unpacked(file: IO[bytes], asked: dict[str, Any]) -> tuple[IO[bytes], int]:
    """The tar file itself: what came, or what it is packed in, written into the file that was opened for that."""
    size = os.fstat(file.fileno()).st_size
    if not file.read(2).startswith(GZIP):
        return file, size
    file.seek(0)
    target, total = int(asked["target"]), 0  # opened by our parent: nothing is opened for writing here
    for piece in inflated(file):
        total += len(piece)
        if total > asked["most"]:
            raise ScanProblem("upload_unpacks_large", most=asked["most"])
        while piece:
            piece = piece[os.write(target, piece) :]
    return os.fdopen(target, "rb", buffering=0), total


def inflated(file: IO[bytes]) -> Any:
    """What a gzip file holds, in pieces; several packed parts may follow each other."""
    inflate, data = zlib.decompressobj(31), b""
    try:
        while data := data or file.read(CHUNK):
            if inflate.eof:
                if not data.startswith(GZIP):
                    return
                inflate = zlib.decompressobj(31)
            yield inflate.decompress(data, CHUNK)
            data = inflate.unconsumed_tail or inflate.unused_data
    except zlib.error as error:
        raise ScanProblem("archive_unreadable") from error
    if not inflate.eof:
        raise ScanProblem("archive_unreadable")


def say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _out_of_time(_signal: int, _frame: object) -> None:
    raise ScanProblem("out_of_cpu", most=Limits().cpu_seconds)


if __name__ == "__main__":
    sys.exit(main())
