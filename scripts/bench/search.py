"""Searches at 50 a second among 100,000 products whose prices and stock change, as a scenario; it runs when it is asked for.

What is asked for again and again, by Zipf's law, may be remembered; what changes must be seen. `assortment` has the products and
the texts, `search_load` asks and changes.
"""

import asyncio
import dataclasses
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from prometheus_client import parser

from scripts.bench import assortment, cpu, figures, search_load
from scripts.bench.stack import SIMULATORS, BenchStack
from scripts.operate import reindex
from scripts.operate.edge import Edge
from scripts.stack import layout
from scripts.stack.supervise import places, problems

NAME = "search"
PRODUCTS = 100_000
SEARCHES_PER_S = 50.0
# A changed price or level every 200 ms: each product several times a day.
PRICES_PER_S = 2.0
LEVELS_PER_S = 3.0
WARM_UP_S = 30.0
BUILD_MOST_S = 1_800.0
# Answers that were made of the index, not remembered.
MADE = {"cache": "search:answer", "found": "store"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """The figures; milliseconds where a name does not say otherwise.

    load_s is how long copying the products took, build_s the build of the index. hits is the share of the searches whose
    answer was remembered, at least: a search by the load that looks for a changed price counts as a miss if it was one, and
    never as a hit.
    """

    products: int
    load_s: float
    build_s: float
    window_s: float
    searches: int
    statuses: Mapping[str, int]
    unanswered: int
    latency_ms: figures.Percentiles
    hits: float
    prices_changed: int
    levels_changed: int
    fresh_ms: figures.Percentiles
    probes: int
    cpu_ms_per_search: figures.Cost
    cores_used: float
    other_cores: float
    samples: Sequence[str]
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Stocked:
    """How long it took to copy the products and to build the index, in seconds."""

    load_s: float
    build_s: float


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen from outside: CPU seconds by process and of others, and answers that were not remembered."""

    cpu_s: Mapping[str, float]
    others_s: float
    made: float


def measure(stack: BenchStack, seconds: float) -> Measurement:
    """Fill the shop, build its index, warm up, and search for so many seconds. Raises StackError or EdgeError."""
    stocked = stock_up(stack, PRODUCTS)
    run(stack, WARM_UP_S, seed=1)
    return told(stocked, *run(stack, seconds, seed=2), figures.Parts(stack.service_names, SIMULATORS))


def stock_up(stack: BenchStack, count: int) -> Stocked:
    """Copy so many products into the databases, and have search build an index of them."""
    exported = stack.exported()
    stack.report.say(NAME, f"{count} products")
    articles = list(assortment.articles(count))
    begun = time.monotonic()
    with psycopg.connect(exported["CATALOG_DATABASE_URL"]) as connection:
        assortment.copy_products(connection, articles)
    with psycopg.connect(exported["INVENTORY_DATABASE_URL"]) as connection:
        assortment.copy_stock(connection, articles)
    copied = time.monotonic()
    stack.report.say(NAME, "its index is being built")
    asyncio.run(_build(exported))
    return Stocked(round(copied - begun, 1), round(time.monotonic() - copied, 1))


async def _build(exported: Mapping[str, str]) -> None:
    """Have the index built. Raises StackError when that takes too long."""
    async with Edge.connect(exported["EDGE_URL"]) as edge:
        await edge.sign_in(exported["ADMIN_EMAIL"], exported["ADMIN_PASSWORD"])
        try:
            await reindex.reindex(edge, most_s=BUILD_MOST_S)
        except reindex.NotBuiltError as late:
            raise problems.StackError(str(late)) from late


def run(stack: BenchStack, seconds: float, *, seed: int) -> tuple[search_load.Outcome, Watched]:
    """Search for so long, and watch."""
    plan = search_load.Plan(
        host=layout.HOST,
        port=stack.chosen.stack.edge_port,
        token=asyncio.run(_token(stack.exported())),
        seconds=seconds,
        searches_per_s=SEARCHES_PER_S,
        prices_per_s=PRICES_PER_S,
        levels_per_s=LEVELS_PER_S,
        seed=seed,
    )
    before, machine_before, made = cpu.seconds(stack.pids()), cpu.busy(), _made(stack)
    outcome = _generated(plan)
    spent = cpu.spent(before, cpu.seconds(stack.pids()))
    others_s = cpu.busy() - machine_before - sum(spent.values()) - outcome.cpu_s
    return outcome, Watched(spent, others_s, _made(stack) - made)


def told(stocked: Stocked, outcome: search_load.Outcome, watched: Watched, parts: figures.Parts) -> Measurement:
    """The figures, from what was counted."""
    window_s = outcome.stopped - outcome.started
    return Measurement(
        products=PRODUCTS,
        load_s=stocked.load_s,
        build_s=stocked.build_s,
        window_s=round(window_s, 2),
        searches=outcome.searches,
        statuses=outcome.statuses,
        unanswered=outcome.unanswered,
        latency_ms=figures.Percentiles.of(outcome.latencies_ms),
        hits=round(max(0.0, 1 - watched.made / outcome.searches), 3) if outcome.searches else 0.0,
        prices_changed=outcome.prices_changed,
        levels_changed=outcome.levels_changed,
        fresh_ms=figures.Percentiles.of(outcome.fresh_ms),
        probes=outcome.probes,
        cpu_ms_per_search=figures.Cost.of(watched.cpu_s, outcome.cpu_s, outcome.searches, parts),
        cores_used=round(sum(watched.cpu_s.values()) / window_s, 2),
        other_cores=round(watched.others_s / window_s, 2),
        samples=outcome.samples,
        problems=_problems(outcome),
    )


def table(measured: Measurement | None) -> str:
    """A few lines for people."""
    if measured is None:
        return ""
    cost = measured.cpu_ms_per_search
    dear = sorted(cost.by_process.items(), key=lambda item: -item[1])[:5]
    lines = (
        f"search: {measured.products} products copied in {measured.load_s:.0f} s, indexed in {measured.build_s:.0f} s",
        f"{measured.searches} searches in {measured.window_s:.0f} s, {100 * measured.hits:.1f} % remembered",
        f"answered after {_said(measured.latency_ms)}",
        f"{measured.prices_changed} prices and {measured.levels_changed} levels changed",
        f"a changed price was seen after {_said(measured.fresh_ms)}",
        f"CPU ms per search: {cost.total:.2f}, {', '.join(f'{name} {each:.2f}' for name, each in dear)}",
        f"cores used / by others: {measured.cores_used:.2f} / {measured.other_cores:.2f}",
    )
    return "\n  ".join(lines)


def _said(found: figures.Percentiles) -> str:
    return f"{found.p50:.1f} / {found.p95:.1f} / {found.p99:.1f} ms (p50 / p95 / p99)"


def _problems(outcome: search_load.Outcome) -> list[str]:
    """What must not be, whatever the speed."""
    found = [f"{NAME}: no search showed a changed price: {each}" for each in outcome.unseen]
    refused = sum(count for status, count in outcome.statuses.items() if int(status) >= 300)
    if refused or outcome.unanswered:
        said = "; ".join(outcome.samples[:1])
        found.append(f"{NAME}: {refused} requests were refused and {outcome.unanswered} not answered: {said}")
    return found


async def _token(exported: Mapping[str, str]) -> str:
    async with Edge.connect(exported["EDGE_URL"]) as edge:
        await edge.sign_in(exported["ADMIN_EMAIL"], exported["ADMIN_PASSWORD"])
        return edge.token


def _made(stack: BenchStack) -> float:
    """How many answers search has made so far."""
    address = stack.exported()["SEARCH_METRICS_ADDR"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        families = parser.text_string_to_metric_families(answer.read().decode())
    counted = (sample for family in families for sample in family.samples)
    return sum(s.value for s in counted if s.name == "souk_cache_reads_total" and s.labels == MADE)


def _generated(plan: search_load.Plan) -> search_load.Outcome:
    """Run the load in a process of its own. Raises StackError when it breaks."""
    command = (sys.executable, "-m", "scripts.bench.search_load")
    most_s = plan.seconds + 3 * search_load.PATIENCE_S
    text = json.dumps(dataclasses.asdict(plan))
    try:
        done = subprocess.run(
            command, input=text, cwd=places.ROOT, capture_output=True, text=True, timeout=most_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise problems.StackError("the searches did not end in time") from None
    if done.returncode:
        raise problems.StackError(f"the searches failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return search_load.Outcome(**json.loads(done.stdout))
