"""`python -m launcher.gate FILE`: stand in front of a registry as the file says."""

import asyncio
import json
import sys
from pathlib import Path

from launcher.gate.door import Door
from launcher.gate.places import Places


def main(words: list[str]) -> int:
    if len(words) != 1:
        sys.stderr.write("Give the file that says where the registry and Berth are.\n")
        return 2
    places = Places.read(json.loads(Path(words[0]).read_text()))
    asyncio.run(Door(places).serve())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
