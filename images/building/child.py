"""The child process that goes through sources: `python -m images.building.child`, the archive as its standard input.

It takes its limits upon itself before it reads a byte. It needs nothing of Django, and says one JSON document.
"""

import io
import json
import os
import re
import sys
from typing import Any

from images.building.ignoring import Ignored
from images.building.problems import BuildProblem
from images.building.sources import Most, Sources
from images.scanning.child import confine
from images.scanning.limits import Limits


class Sink(io.RawIOBase):
    """The file that our parent opened for it: nothing is opened for writing here."""

    def __init__(self, number: int) -> None:
        self._number = number

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._number, rest) :]
        return len(data)


def main() -> int:
    asked = json.loads(sys.argv[1])
    limits = Limits(**asked["limits"])
    confine(limits)
    sys.stdout.write(json.dumps(answer(asked, limits)))
    return 0


def answer(asked: dict[str, Any], limits: Limits) -> dict[str, Any]:
    try:
        with os.fdopen(0, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            sources = Sources(file, size, Most(asked["bytes"], asked["files"]))
            recipe, ignored = sources.look(asked["recipe"])
            told = sources.write(Sink(asked["target"]), Ignored(ignored, keep=""))
            return {"found": {"recipe": recipe, **told}}
    except BuildProblem as problem:
        return {"problem": problem.as_json()}
    except MemoryError:
        return {"problem": BuildProblem("source_memory", most=limits.memory_bytes).as_json()}
    except re.error:
        return {"problem": BuildProblem("source_ignored").as_json()}
    except OSError as error:  # of the one file it writes
        return {"problem": BuildProblem("source_no_room").as_json(), "said": str(error)}


if __name__ == "__main__":
    sys.exit(main())
