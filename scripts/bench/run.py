"""One measurement: begin to count, let the generator send, wait until everything has come to an end, look."""

import asyncio
import dataclasses
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.bench import cpu, figures, load, requests, shop
from scripts.bench.books import Books, Statuses
from scripts.bench.stack import SIMULATORS, BenchStack
from scripts.stack import layout
from scripts.stack.supervise import problems

# The generator ends by itself; this only keeps a defect from waiting for ever.
GENERATOR_GRACE_S = 2 * load.PATIENCE_S


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: SKUs and lines per order, or these baskets; connections, and until when. With a `rate` it is an open loop.

    `coupon` is a code that every order has.
    """

    skus: tuple[str, ...]
    lines: int
    connections: int
    seconds: float
    most: int = 1_000_000
    rate: float = 0.0
    units: int = 0
    coupon: str = ""
    baskets: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Orders:
    """What became of the orders. `refused` is by HTTP status; `ended_pending` must be 0."""

    sent: int
    accepted: int
    refused: Mapping[str, int]
    unanswered: int
    confirmed: int
    cancelled: int
    ended_pending: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """The figures of one scenario; milliseconds where a name does not say otherwise.

    `window_s` is how long orders were sent, `ended_s` when the last of them was settled and its mail sent. Confirmations
    per second are counted in the window, and from the first order to the last confirmation. `other_cores` is what the
    machine did besides: the more, the less the figures are worth.
    """

    load: Load
    orders: Orders
    window_s: float
    ended_s: float
    accepted_per_s: float
    confirmed_per_s: float
    confirmed_per_s_to_the_last: float
    accept_ms: figures.Percentiles
    confirm_ms: figures.Percentiles
    cpu_ms_per_confirmed: figures.Cost
    cpu_ms_per_accepted: figures.Cost
    cpu_s: Mapping[str, float]
    cores_used: float
    other_cores: float
    memory_mib: Mapping[str, float]
    samples: Sequence[str]
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen from outside: CPU seconds by process until the end and in the window, others' CPU, bytes of memory."""

    ended_s: float
    cpu_s: Mapping[str, float]
    window_cpu_s: Mapping[str, float]
    others_cpu_s: float
    memory: Mapping[str, int]
    settled: bool


@dataclass(frozen=True, slots=True)
class Runner:
    """Measures one stack, as these customers."""

    stack: BenchStack
    books: Books
    customers: Sequence[shop.Customer]
    patience_s: float

    def measure(self, wanted: Load) -> Measurement:
        """Send the load and see it through to its end. Raises StackError when the generator breaks."""
        generator_plan = self._plan(wanted)
        before, machine_before = cpu.seconds(self.stack.pids()), cpu.busy()
        outcome = generate(generator_plan)
        in_window = cpu.spent(before, cpu.seconds(self.stack.pids()))
        others_s = cpu.busy() - machine_before - sum(in_window.values()) - outcome.cpu_s
        memory = self.stack.memory()
        settled = self.books.settle(self.patience_s)
        self.books.rest()
        return self._told(
            wanted,
            outcome,
            Watched(
                ended_s=time.time() - outcome.started,
                cpu_s=cpu.spent(before, cpu.seconds(self.stack.pids())),
                window_cpu_s=in_window,
                others_cpu_s=others_s,
                memory=memory,
                settled=settled,
            ),
        )

    def _told(self, wanted: Load, outcome: load.Outcome, watched: Watched) -> Measurement:
        statuses = self.books.statuses(outcome.started)
        confirmations = self.books.confirmations(outcome.started)
        window_s = outcome.stopped - outcome.started
        last_s = max((at for _, at in confirmations), default=outcome.started) - outcome.started
        return Measurement(
            load=wanted,
            orders=_orders(outcome, statuses),
            window_s=round(window_s, 2),
            ended_s=round(watched.ended_s, 2),
            accepted_per_s=figures.rate(len(outcome.accepted), window_s),
            confirmed_per_s=figures.rate(sum(at <= outcome.stopped for _, at in confirmations), window_s),
            confirmed_per_s_to_the_last=figures.rate(len(confirmations), last_s),
            accept_ms=figures.Percentiles.of(outcome.latencies_ms),
            confirm_ms=figures.Percentiles.of([1000 * (confirmed - accepted) for accepted, confirmed in confirmations]),
            cpu_ms_per_confirmed=self._cost(outcome, watched, statuses.confirmed),
            cpu_ms_per_accepted=self._cost(outcome, watched, len(outcome.accepted)),
            cpu_s={**watched.cpu_s, "load_generator": round(outcome.cpu_s, 3)},
            cores_used=round(sum(watched.window_cpu_s.values()) / window_s, 2),
            other_cores=round(watched.others_cpu_s / window_s, 2),
            memory_mib=figures.mib(watched.memory),
            samples=outcome.samples,
            problems=self._problems(outcome, statuses, settled=watched.settled),
        )

    def idle(self, seconds: float) -> dict[str, float]:
        """CPU milliseconds that each process uses per second while there is nothing to do."""
        before = cpu.seconds(self.stack.pids())
        time.sleep(seconds)
        spent = cpu.spent(before, cpu.seconds(self.stack.pids()))
        return {name: round(1000 * used / seconds, 2) for name, used in spent.items()}

    def _cost(self, outcome: load.Outcome, watched: Watched, orders: int) -> figures.Cost:
        parts = figures.Parts(self.stack.service_names, SIMULATORS)
        return figures.Cost.of(watched.cpu_s, outcome.cpu_s, orders, parts)

    def _plan(self, wanted: Load) -> load.Plan:
        tokens = asyncio.run(shop.sign_in(self.stack.chosen.edge_url, self.customers))
        key = f"bench-{uuid.uuid4()}"
        return load.Plan(
            host=layout.HOST,
            port=self.stack.chosen.stack.edge_port,
            wanted=requests.Wanted(
                tokens, wanted.skus, wanted.lines, key, wanted.units, coupon=wanted.coupon, baskets=wanted.baskets
            ),
            connections=wanted.connections,
            seconds=wanted.seconds,
            most=wanted.most,
            rate=wanted.rate,
        )

    def _problems(self, outcome: load.Outcome, statuses: Statuses, *, settled: bool) -> list[str]:
        """What must not be, whatever the speed: orders that were accepted and did not come to an end."""
        found = [] if settled else [f"not everything was settled within {self.patience_s:.0f} s"]
        if lost := self.books.not_ended(outcome.accepted):
            found.append(f"{len(lost)} accepted orders are neither confirmed nor cancelled: {', '.join(lost[:3])}")
        if statuses.pending:
            found.append(f"{statuses.pending} orders are still pending")
        if not outcome.accepted:
            found.append(f"no order was accepted: {'; '.join(outcome.samples[:1])}")
        return found


def generate(planned: load.Plan) -> load.Outcome:
    """Run the load generator in a process of its own. Raises StackError when it breaks."""
    command = (sys.executable, "-m", "scripts.bench.load")
    text = json.dumps(dataclasses.asdict(planned))
    try:
        done = subprocess.run(
            command,
            input=text,
            cwd=layout.ROOT,
            capture_output=True,
            text=True,
            timeout=planned.seconds + GENERATOR_GRACE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise problems.StackError("the load generator did not end in time") from None
    if done.returncode:
        raise problems.StackError(f"the load generator failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    fields: dict[str, Any] = json.loads(done.stdout)
    return load.Outcome(**fields)


def _orders(outcome: load.Outcome, statuses: Statuses) -> Orders:
    return Orders(
        sent=outcome.sent,
        accepted=len(outcome.accepted),
        refused={status: count for status, count in outcome.statuses.items() if int(status) >= 300},
        unanswered=outcome.unanswered,
        confirmed=statuses.confirmed,
        cancelled=statuses.cancelled,
        ended_pending=statuses.pending,
    )
