"""The command line of the bench; `make bench` calls it."""

import argparse
import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from scripts.bench import bare, machine, recommendation, report, search, shop
from scripts.bench.books import Books
from scripts.bench.run import Measurement, Runner
from scripts.bench.scenarios import HALF, NAMES, SUSTAINED, Scenarios, Wishes
from scripts.bench.stack import BenchStack, environment_of
from scripts.operate.edge import EdgeError
from scripts.stack import layout
from scripts.stack.supervise import component, exclusive, problems, progress

INTERRUPTED = 130
IDLE_S = 5.0
LONGEST_S = 600.0
# Scenarios that run only by name.
ASKED_FOR = (search.NAME, recommendation.NAME)


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """What the scenarios showed: those of orders by name, the bare path; searches and recommendations if they were asked for."""

    orders: Mapping[str, Measurement]
    floor: Sequence[bare.Measurement]
    searches: search.Measurement | None
    recommendations: recommendation.Outcome | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench. Answers with a process exit code: 1 when something was lost, sold twice or charged wrongly."""
    parser = _parser()
    options = parser.parse_args(arguments)
    names = tuple(dict.fromkeys(options.scenario or (*NAMES, bare.NAME)))
    if HALF in names and SUSTAINED not in names and not options.rate:
        parser.error(f"{HALF} alone needs --rate: it is half of what {SUSTAINED} shows")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _bench(names, options)
    except (problems.StackError, EdgeError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, component.Cancelled):
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description="Measure Souk on a stack of its own.")
    parser.add_argument(
        "--scenario", action="append", choices=(*NAMES, bare.NAME, *ASKED_FOR), help="only this one; repeatable"
    )
    parser.add_argument("--seconds", type=_seconds, default=60.0, help="how long orders are sent (half: half as long)")
    parser.add_argument("--concurrency", type=int, default=128, help="connections of the closed loops")
    parser.add_argument("--rate", type=float, default=0.0, help="orders a second of `half`, when it runs alone")
    parser.add_argument("--hot-orders", type=int, default=5000, help="orders that race for 500 units")
    parser.add_argument("--single-orders", type=int, default=600, help="orders of `one_at_a_time`")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds until an unsettled order counts as lost")
    parser.add_argument("--keep", action="store_true", help="leave the stack up")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"from 1 to {LONGEST_S:.0f}")
    return seconds


def _bench(names: Sequence[str], options: argparse.Namespace) -> int:
    stack = BenchStack.of(os.environ, progress.Progress())
    described = machine.described()
    with exclusive.exclusive(stack.chosen.stack.folder):
        try:
            stack.begin()
            scenarios = _prepared(stack, options)
            idle = scenarios.runner.idle(IDLE_S)
            for name in (name for name in names if name in NAMES):
                stack.report.say(name, "running")
                scenarios.run(name)
            floor = _bare(scenarios) if bare.NAME in names else []
            recommended = recommendation.measure(scenarios.runner) if recommendation.NAME in names else None
            searched = search.measure(stack, options.seconds) if search.NAME in names else None
        finally:
            if not options.keep:
                stack.end()
    measured = Measured(scenarios.results, floor, searched, recommended)
    return _told(measured, {"machine": described, "idle_cpu_ms_per_s": idle, **_settings(stack, options)})


def _bare(scenarios: Scenarios) -> list[bare.Measurement]:
    """The bare path on the same servers, beside what the product's sustained orders took."""
    scenarios.runner.stack.report.say(bare.NAME, "running")
    sustained = scenarios.results.get(SUSTAINED)
    return bare.measure(scenarios.runner.stack, sustained.cpu_ms_per_confirmed.total if sustained else 0.0)


def _prepared(stack: BenchStack, options: argparse.Namespace) -> Scenarios:
    """A filled shop, registered customers, and everything warm."""
    exported = stack.exported()
    stack.report.say("shop", f"{shop.SKUS} products, {shop.CUSTOMERS} customers")
    admin = (exported["ADMIN_EMAIL"], exported["ADMIN_PASSWORD"])
    asyncio.run(shop.stock_up(exported["EDGE_URL"], admin, shop.plenty()))
    customers = asyncio.run(shop.register(exported["EDGE_URL"]))
    runner = Runner(stack, Books.of(exported), customers, options.patience)
    wishes = Wishes(options.seconds, options.concurrency, options.hot_orders, options.single_orders, options.rate)
    scenarios = Scenarios(runner, wishes)
    stack.report.say("warm-up", "running")
    scenarios.warm_up()
    return scenarios


def _settings(stack: BenchStack, options: argparse.Namespace) -> dict[str, Any]:
    given = {name: value for name, value in stack.chosen.given.items() if name.startswith(("CONSUMER_", "RELAY_"))}
    environment = {**environment_of(stack.chosen.services), **given}
    return {"settings": {"options": vars(options), "environment": environment}, "commit": machine.commit()}


def _told(measured: Measured, content: dict[str, Any]) -> int:
    now = datetime.now(UTC)
    asked_for = [each for each in (measured.searches, measured.recommendations) if each]
    found = [*report.problems(measured.orders), *(problem for each in asked_for for problem in each.problems)]
    whole = {
        "time": now.isoformat(timespec="seconds"),
        **content,
        "scenarios": {name: dataclasses.asdict(each) for name, each in measured.orders.items()},
        bare.NAME: [dataclasses.asdict(each) for each in measured.floor],
        search.NAME: dataclasses.asdict(measured.searches) if measured.searches else None,
        recommendation.NAME: dataclasses.asdict(measured.recommendations) if measured.recommendations else None,
        "problems": found,
    }
    path = report.write(_folder(), whole, now)
    orders = report.table(measured.orders) if measured.orders else ""
    others = bare.table(measured.floor), search.table(measured.searches), recommendation.table(measured.recommendations)
    tables = "\n\n".join(filter(None, (orders, *others)))
    print(f"\n{content['machine']}\n\n{tables}\n\nwritten to {path.relative_to(layout.ROOT)}")
    for problem in found:
        print(f"bench: {problem}", file=sys.stderr)
    return 1 if found else 0


def _folder() -> Path:
    return layout.ROOT / ".souk" / "bench"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
