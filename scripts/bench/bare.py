"""The bare event path as a scenario: what the same servers, in the same run, need for the least that an order is."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg

from scripts.bench import bare_path, cpu, figures
from scripts.bench.stack import BenchStack
from scripts.stack.supervise import places, problems

NAME = "bare_path"
DATABASE = "bench_bare"
# Orders in one transaction of acceptance: what a shop gathers at rest, and what it could.
PER_COMMIT = (8, 100)
ORDERS = 4000
SERVERS = ("postgres", "kafka")
PATIENCE_S = 2 * bare_path.PATIENCE_S


@dataclass(frozen=True, slots=True)
class Measurement:
    """The figures of one run of the bare path. `ratio` is what the product's sustained orders cost, in times of these."""

    orders: int
    per_commit: int
    seconds: float
    confirmed_per_s: float
    cpu_ms_per_confirmed: Mapping[str, float]
    total: float
    ratio: float


def measure(stack: BenchStack, product_ms: float) -> list[Measurement]:
    """Run the path once for each size. product_ms is the product's cost of an order, 0 when unknown. Raises StackError."""
    admin = stack.chosen.admin_database_url
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = urlsplit(admin)._replace(path=f"/{DATABASE}").geturl()
    bootstrap = stack.chosen.servers()["KAFKA_BOOTSTRAP"]
    return [
        _measured(stack, bare_path.Plan(url, bootstrap, ORDERS, per_commit), product_ms) for per_commit in PER_COMMIT
    ]


def table(measured: Sequence[Measurement]) -> str:
    """A line for each run, for people."""
    return "\n".join(
        f"bare path, {each.per_commit} orders a commit: {each.total:.2f} CPU ms per order ("
        + ", ".join(f"{name} {cost:.2f}" for name, cost in each.cpu_ms_per_confirmed.items())
        + f"), {each.confirmed_per_s:.0f} per s"
        + (f"; the product takes {each.ratio:.1f} times as much" if each.ratio else "")
        for each in measured
    )


def told(
    plan: bare_path.Plan, outcome: bare_path.Outcome, servers_s: Mapping[str, float], product_ms: float
) -> Measurement:
    """The figures, from what was counted."""
    spent = {"python": outcome.cpu_s, **servers_s}
    each = {name: round(1000 * seconds / plan.orders, 3) for name, seconds in spent.items()}
    total = round(sum(each.values()), 3)
    return Measurement(
        orders=plan.orders,
        per_commit=plan.per_commit,
        seconds=outcome.seconds,
        confirmed_per_s=figures.rate(plan.orders, outcome.seconds),
        cpu_ms_per_confirmed=each,
        total=total,
        ratio=round(product_ms / total, 2) if total else 0.0,
    )


def _measured(stack: BenchStack, plan: bare_path.Plan, product_ms: float) -> Measurement:
    pids = {name: pid for name, pid in stack.pids().items() if name in SERVERS}
    before = cpu.seconds(pids)
    outcome = _run(plan)
    return told(plan, outcome, cpu.spent(before, cpu.seconds(pids)), product_ms)


def _run(plan: bare_path.Plan) -> bare_path.Outcome:
    command = (sys.executable, "-m", "scripts.bench.bare_path")
    text = json.dumps(dataclasses.asdict(plan))
    done = subprocess.run(
        command, input=text, cwd=places.ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if done.returncode:
        raise problems.StackError(f"the bare path failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return bare_path.Outcome(**json.loads(done.stdout))
