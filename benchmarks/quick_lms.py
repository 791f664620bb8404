"""A far side that answers at once, as cheaply as it can, and remembers who called when.

Run as `python -m benchmarks.quick_lms PORT`.

GET /calls/ gives {path: [seconds since the epoch, ...]}, GET /count/ how many there were. It is the same for ours and
for the floor, and no stand-in for an LMS: what a delivery costs must not drown in what the far side costs.
QUICK_LMS_DELAY: seconds before each answer.
"""

import asyncio
import json
import os
import sys
import time
from collections import defaultdict

DELAY = float(os.environ.get("QUICK_LMS_DELAY", "0"))

calls: dict[str, list[float]] = defaultdict(list)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests of one connection, until it is closed."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            if path == "/calls/":
                body = json.dumps(calls).encode()
            elif path == "/count/":
                body = b"%d" % sum(map(len, calls.values()))
            else:
                calls[path].append(time.time())
                body = b"{}"
                if DELAY:
                    await asyncio.sleep(DELAY)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(port: int) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
