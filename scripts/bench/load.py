"""The load generator: a process of its own, so that what it costs is known and left out of the shop's account.

    python -m scripts.bench.load <plan.json >outcome.json

`closed`: so many connections, each sending its next order when the last is answered. `open`: orders at a fixed rate
whatever the shop does; latency counts from the moment an order was due, so that waiting for a connection is not hidden.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import uvloop

from scripts.bench import http1, requests

# An order that is not answered by then counts as unanswered; the databases tell what became of it.
PATIENCE_S = 30.0
SAMPLES_KEPT = 5
_ID = b'"id":"'
_ID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where, over how many connections, for how long.

    With a `rate` (orders a second) it is an open loop, else a closed one. It ends after `seconds` or `most` orders.
    `secure`: by TLS.
    """

    host: str
    port: int
    wanted: requests.Wanted
    connections: int
    seconds: float
    most: int
    rate: float = 0.0
    secure: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it. Times are seconds since the epoch; latencies are of accepted orders, in milliseconds."""

    started: float = 0.0
    stopped: float = 0.0
    sent: int = 0
    unanswered: int = 0
    accepted: list[str] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)
    cpu_s: float = 0.0


class Generator:
    """Carries out one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests: Iterator[bytes] = requests.stream(f"{plan.host}:{plan.port}", plan.wanted)
        self._statuses: Counter[int] = Counter()
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        """Send, wait for the last answer, and tell."""
        outcome = self.outcome
        cpu, outcome.started = time.process_time(), time.time()
        await (self._open_loop() if self._plan.rate else self._closed_loop())
        outcome.stopped = time.time()
        outcome.cpu_s = time.process_time() - cpu
        outcome.statuses = {str(status): count for status, count in self._statuses.items()}
        return outcome

    async def _closed_loop(self) -> None:
        until = time.monotonic() + self._plan.seconds
        await asyncio.gather(*(self._lane(until) for _ in range(self._plan.connections)))

    async def _lane(self, until: float) -> None:
        connection: http1.Connection | None = None
        while (due := time.monotonic()) < until and self.outcome.sent < self._plan.most:
            connection = await self._send(connection, due)
        if connection:
            connection.close()

    async def _open_loop(self) -> None:
        idle: list[http1.Connection | None] = [None] * self._plan.connections
        free = asyncio.Semaphore(self._plan.connections)
        begun = time.monotonic()

        async def one(due: float) -> None:
            async with free:
                idle.append(await self._send(idle.pop(), due))

        async with asyncio.TaskGroup() as tasks:
            for number in range(min(self._plan.most, round(self._plan.seconds * self._plan.rate))):
                due = begun + number / self._plan.rate
                if (early := due - time.monotonic()) > 0:
                    await asyncio.sleep(early)
                tasks.create_task(one(due))
        for connection in filter(None, idle):
            connection.close()

    async def _send(self, connection: http1.Connection | None, due: float) -> http1.Connection | None:
        """Send the next order over this connection, or a new one. Answers with the connection if it may be used again."""
        self.outcome.sent += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                if connection is None or not connection.usable:
                    plan = self._plan
                    connection = await http1.Connection.open(plan.host, plan.port, secure=plan.secure)
                answer = await connection.ask(next(self._requests))
        except (OSError, TimeoutError) as error:
            self.outcome.unanswered += 1
            self._keep_sample(repr(error))
            if connection:
                connection.close()
            return None
        self._count(answer, due)
        return connection

    def _count(self, answer: http1.Answer, due: float) -> None:
        self._statuses[answer.status] += 1
        if answer.status >= 300:
            self._keep_sample(f"{answer.status} {answer.body[:400].decode(errors='replace')}")
            return
        at = answer.body.index(_ID) + len(_ID)
        self.outcome.accepted.append(answer.body[at : at + _ID_LENGTH].decode())
        self.outcome.latencies_ms.append(round(1000 * (time.monotonic() - due), 3))

    def _keep_sample(self, text: str) -> None:
        if len(self.outcome.samples) < SAMPLES_KEPT:
            self.outcome.samples.append(text)


def planned(text: str) -> Plan:
    """The plan that was written as JSON."""
    fields = json.loads(text)
    wanted = fields.pop("wanted")
    tokens, skus = tuple(wanted.pop("tokens")), tuple(wanted.pop("skus"))
    baskets = tuple(map(tuple, wanted.pop("baskets")))
    return Plan(**fields, wanted=requests.Wanted(tokens=tokens, skus=skus, baskets=baskets, **wanted))


def main() -> int:
    """Carry out the plan on standard input. Answers with a process exit code."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(Generator(planned(sys.stdin.read())).run())
    json.dump(asdict(outcome), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
