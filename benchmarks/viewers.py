"""Many who watch numbers: `python -m benchmarks.viewers ADDRESS < session-keys`, an empty line being a stranger.

Opens one socket for each line, prints `open`, and for every line read afterwards how many messages came since the last.
"""

import asyncio
import sys

import websockets

AT_ONCE = 25
PATIENCE_SECONDS = 120.0


async def main(address: str) -> None:
    keys = sys.stdin.readline().strip("\n").split(",")
    told = [0]
    free, opened = asyncio.Semaphore(AT_ONCE), asyncio.Queue[None]()

    async def watch(key: str) -> None:
        headers = {"Cookie": f"berth_session={key}"} if key else {}
        async with free:
            socket = await websockets.connect(
                address,
                additional_headers=headers,
                origin=websockets.Origin(_origin(address)),
                open_timeout=PATIENCE_SECONDS,
                ping_interval=None,
            )
            opened.put_nowait(None)
        async for _message in socket:
            told[0] += 1

    tasks = [asyncio.create_task(watch(key)) for key in keys]
    while opened.qsize() < len(keys):
        await asyncio.sleep(0.05)
        for task in tasks:
            if task.done():
                await task  # says why it could not come in
    print("open", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(told[0], flush=True)
        told[0] = 0
    for task in tasks:
        task.cancel()


def _origin(address: str) -> str:
    return "http://" + address.split("/")[2]


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
