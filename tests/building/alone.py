"""A build in a process of its own, to be killed: `python -m tests.building.alone ENGINE FILE OWNER`."""

import asyncio
import sys
from pathlib import Path

from backends.contract import Order
from backends.swarm.building import EngineBuilder
from backends.swarm.wire import Wire


async def main(engine: str, file: str, owner: str) -> None:
    order = Order(f"berth.build/{owner}:kept", owner, "Dockerfile", memory_bytes=2**28, cpu_millicores=500)
    with Path(file).open("rb") as sources:
        async for _said in EngineBuilder(Wire(engine)).build(order, sources, Path(file).stat().st_size):
            pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
