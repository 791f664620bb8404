"""A provider that sends many events at once: requests signed and encoded beforehand, a new connection for each.

gunicorn's sync workers close the connection after each answer, so nothing would be won by keeping it. What the client
itself costs is the same for ours and for the floor.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from commerce_coordinator.plugins.demo_lms.purchase import payment_intent_succeeded, signed

from .rig import SECRET, Site

#: More open connections than this would measure the machine's limits.
MOST_CONNECTIONS = 256


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One request's fate. Times are seconds since the epoch; `due` is when it should have been sent."""

    status: int
    due: float
    answered: float

    @property
    def milliseconds(self) -> float:
        """As the provider sees it: a client that is late counts as waiting."""
        return (self.answered - self.due) * 1000


def encode(site: Site, order_number: str, *, at: float | None = None) -> bytes:
    """A signed event as the bytes of its request. `at`: when it will be sent, in seconds since the epoch."""
    event = payment_intent_succeeded(order_number, username="benchmark")
    body, headers = signed(event, SECRET, at=None if at is None else int(at))
    lines = [f"POST {site.webhook} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


async def post(port: int, request: bytes, due: float | None = None) -> Answer:
    """Status 0 when there was no answer."""
    due = time.time() if due is None else due
    status = 0
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            answer = await reader.read()
            status = int(answer[9:12] or 0)
        finally:
            writer.close()
    except OSError:
        pass  # refused or reset: no answer
    return Answer(status=status, due=due, answered=time.time())


def closed_loop(port: int, requests: Sequence[bytes], connections: int) -> list[Answer]:
    """Each connection sends its next request when the last one is answered."""

    async def send_all() -> list[Answer]:
        waiting, answers = iter(requests), []

        async def connection() -> None:
            for request in waiting:
                answers.append(await post(port, request))

        await asyncio.gather(*(connection() for _ in range(connections)))
        return answers

    return asyncio.run(send_all())


def open_loop(port: int, requests: Sequence[bytes], per_second: float, start: float) -> list[Answer]:
    """Each request at its own time, whatever became of those before; answers in the order of the requests."""

    async def send_all() -> list[Answer]:
        free = asyncio.Semaphore(MOST_CONNECTIONS)

        async def send(request: bytes, due: float) -> Answer:
            try:
                return await post(port, request, due)
            finally:
                free.release()

        sending = []
        for number, request in enumerate(requests):
            due = start + number / per_second
            await asyncio.sleep(max(0.0, due - time.time()))
            await free.acquire()
            sending.append(asyncio.create_task(send(request, due)))
        return list(await asyncio.gather(*sending))

    return asyncio.run(send_all())
