"""Answers a second through HTTP at 1, 8, 32 and 128 clients, each with its own connection and always asking.

Server and clients share the machine's cores, so this is what one machine does for the users in front of it.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from typing import Any

from benchmarks.common import built_index, percentiles, questions, save, table
from benchmarks.server import running_app

_CLIENTS = (1, 8, 32, 128)


def main() -> int:
    seconds = 2.0 if "--quick" in sys.argv else 10.0
    texts = [row["question"] for row in questions()]
    with running_app(built_index()) as (address, _):
        asyncio.run(_load(address, texts, 1, 1.0))
        rows = [asyncio.run(_load(address, texts, clients, seconds)) for clients in _CLIENTS]
    head = ["clients", "answers/s", "p50 ms", "p95 ms", "p99 ms", "errors"]
    table(head, [[r["clients"], r["rate"], r["p50"], r["p95"], r["p99"], r["errors"]] for r in rows])
    save("throughput", {"rows": rows, "seconds": seconds})
    return 0


async def _load(address: str, texts: list[str], clients: int, seconds: float) -> dict[str, Any]:
    import httpx

    turn = itertools.cycle(texts)
    times: list[float] = []
    errors = 0
    until = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal errors
        async with httpx.AsyncClient(base_url=address, timeout=120) as http:
            while time.perf_counter() < until:
                started = time.perf_counter()
                reply = await http.post("/api/ask", json={"question": next(turn)})
                times.append(1000 * (time.perf_counter() - started))
                errors += reply.status_code != 200

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - started
    return {"clients": clients, "rate": len(times) / took, "errors": errors, **percentiles(times)}


if __name__ == "__main__":
    sys.exit(main())
