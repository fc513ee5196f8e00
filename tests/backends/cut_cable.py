"""Run in a network of its own: a stream is open and silent, then the only way to its server is cut.

Says the code of the reason for which the stream ended.
"""

import asyncio
import subprocess
import sys
from asyncio import StreamReader, StreamWriter

from backends.contract import DriverError
from backends.kubernetes.access import Access
from backends.kubernetes.wire import Wire

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"


def lo(state: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", state], check=True)  # noqa: S603, S607 - words of our own


async def main(seconds: float) -> str:
    held: list[StreamWriter] = []

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        held.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = Wire(Access(f"http://127.0.0.1:{port}"))
    try:
        async with asyncio.timeout(seconds), wire.stream("/x") as stream:
            await stream.read()
            lo("down")
            await stream.read()
    except DriverError as error:
        return str(error.reason.code)
    except TimeoutError:
        return "nothing noticed"
    return "it ended in good order"


if __name__ == "__main__":
    lo("up")
    sys.stdout.write(asyncio.run(main(float(sys.argv[1]))))
