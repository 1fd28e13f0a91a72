"""How good recommendations are, as a scenario; it runs when it is asked for.

Baskets with planted associations (`scripts/sample_data/baskets.py`) are ordered, as customers order them. Of further baskets,
which are not ordered, one product is asked about and another one is hidden: is it among the first ten that go with the
product, and how far up? The same is asked of popularity alone: the ten products that are in most of the ordered baskets.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from scripts.bench import figures
from scripts.bench.run import Load, Measurement, Runner
from scripts.operate.edge import Edge
from scripts.sample_data import baskets, load
from scripts.sample_data.over_rest import RestCatalog
from scripts.stack.supervise import problems

NAME = "recommendation"
ORDERS = 8_000
QUESTIONS = 2_000
SHOWN = 10
CONNECTIONS = 64
LONGEST_S = 300.0
LEARNED_S = 60.0
POLL_S = 0.5
ASKED_AT_ONCE = 8
PREFIX, SEED = "BASKET", 20_26
_COUNTED = "SELECT coalesce(sum(orders), 0)::bigint FROM order_counts WHERE slot = (SELECT slot FROM model)"


@dataclass(frozen=True, slots=True)
class Question:
    """A product that is asked about, and one that was in the same basket; both as SKUs."""

    about: str
    hidden: str


@dataclass(frozen=True, slots=True)
class Quality:
    """The share of the questions whose hidden product is among the first ten; the mean of one over its place (0 behind ten)."""

    hit_rate: float
    mrr: float

    @classmethod
    def of(cls, answers: Iterable[Sequence[str]], questions: Sequence[Question]) -> "Quality":
        """What these answers, one for each question, are worth."""
        places = [
            answer.index(question.hidden) + 1 if question.hidden in answer else 0
            for answer, question in zip(answers, questions, strict=True)
        ]
        found = [1 / place for place in places if place]
        asked = max(1, len(questions))
        return cls(round(len(found) / asked, 4), round(sum(found) / asked, 4))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures: of recommendations, of popularity alone, and both for questions whose answer was planted.

    learned_s is how long after the last order was settled all were counted. cpu_ms_per_order is that of the service's process
    while the orders came, without PostgreSQL's share; cpu_ms is what all processes took for an order.
    """

    orders: int
    questions: int
    planted_questions: int
    recommended: Quality
    popular: Quality
    recommended_planted: Quality
    popular_planted: Quality
    learned_s: float
    cpu_ms_per_order: float
    cpu_ms: float
    memory_mib: float
    latency_ms: figures.Percentiles
    problems: Sequence[str]


def measure(runner: Runner) -> Outcome:
    """Have baskets ordered, and ask. Raises StackError or EdgeError."""
    sold = baskets.assortment(PREFIX, seed=SEED)
    runner.stack.report.say(NAME, f"{ORDERS} orders of {len(sold.skus)} products")
    ids = asyncio.run(_stocked(runner, sold))
    ordered = list(baskets.baskets(sold, ORDERS, seed=1))
    before = runner.books.number(NAME, _COUNTED)
    orders = runner.measure(Load(sold.skus, 0, CONNECTIONS, LONGEST_S, most=ORDERS, units=1, baskets=tuple(ordered)))
    learned_s = _learned(runner, before + orders.orders.confirmed)
    asked = questions(baskets.baskets(sold, QUESTIONS, seed=2), seed=3)
    runner.stack.report.say(NAME, f"{len(asked)} questions")
    answers, latencies = asyncio.run(_asked(runner, ids, asked))
    return _told(orders, learned_s, Answered(asked, answers, popular(ordered, asked), latencies), sold)


@dataclass(frozen=True, slots=True)
class Answered:
    """Questions, what was recommended, what popularity alone says, and how long answers took in milliseconds."""

    questions: Sequence[Question]
    recommended: Sequence[Sequence[str]]
    popular: Sequence[Sequence[str]]
    latencies_ms: Sequence[float]

    def quality(self, of: Callable[[Question], bool]) -> tuple[int, Quality, Quality]:
        """How many questions of this kind there are, and what both kinds of answers to them are worth."""
        chosen = [number for number, question in enumerate(self.questions) if of(question)]
        asked = [self.questions[number] for number in chosen]
        recommended, popular = ([kind[n] for n in chosen] for kind in (self.recommended, self.popular))
        return len(asked), Quality.of(recommended, asked), Quality.of(popular, asked)


def questions(some: Iterable[baskets.Basket], *, seed: int) -> list[Question]:
    """One question of each basket: two products of it, by chance."""
    chance = random.Random(seed)  # noqa: S311 - the same questions in every run, no secret
    return [Question(*chance.sample(basket, 2)) for basket in some]


def popular(ordered: Iterable[baskets.Basket], asked: Sequence[Question]) -> list[list[str]]:
    """What popularity alone answers: what is in most baskets, but what is asked about."""
    counted = Counter(sku for basket in ordered for sku in basket)
    ranked = [sku for sku, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))][: SHOWN + 1]
    return [[sku for sku in ranked if sku != question.about][:SHOWN] for question in asked]


def table(measured: Outcome | None) -> str:
    """A few lines for people."""
    if measured is None:
        return ""
    waited, alone = measured.latency_ms, "popularity alone"
    lines = (
        f"recommendation: {measured.orders} orders, all counted {measured.learned_s:.1f} s after the last was settled",
        f"CPU ms per order: {measured.cpu_ms_per_order:.3f} without PostgreSQL; {measured.memory_mib:.0f} MiB",
        f"hit rate@{SHOWN} / MRR of {measured.questions} questions: {_said(measured.recommended)}",
        f"  {alone}: {_said(measured.popular)}",
        f"of {measured.planted_questions} about planted pairs: {_said(measured.recommended_planted)}",
        f"  {alone}: {_said(measured.popular_planted)}",
        f"answered after {waited.p50:.1f} / {waited.p95:.1f} / {waited.p99:.1f} ms (p50 / p95 / p99)",
    )
    return "\n  ".join(lines)


def _said(quality: Quality) -> str:
    return f"{quality.hit_rate:.3f} / {quality.mrr:.3f}"


def _told(orders: Measurement, learned_s: float, answered: Answered, sold: baskets.Assortment) -> Outcome:
    pairs = baskets.planted(sold.bundles)
    everything, recommended, alone = answered.quality(lambda _: True)
    planted, recommended_planted, alone_planted = answered.quality(
        lambda question: frozenset((question.about, question.hidden)) in pairs
    )
    found = [*orders.problems]
    if recommended.hit_rate <= alone.hit_rate or recommended.mrr <= alone.mrr:
        found.append(f"{NAME}: recommendations are no better than popularity alone")
    return Outcome(
        orders=orders.orders.confirmed,
        questions=everything,
        planted_questions=planted,
        recommended=recommended,
        popular=alone,
        recommended_planted=recommended_planted,
        popular_planted=alone_planted,
        learned_s=round(learned_s, 1),
        cpu_ms_per_order=orders.cpu_ms_per_confirmed.by_process.get(NAME, 0.0),
        cpu_ms=orders.cpu_ms_per_confirmed.total,
        memory_mib=orders.memory_mib.get(NAME, 0.0),
        latency_ms=figures.Percentiles.of(answered.latencies_ms),
        problems=found,
    )


async def _stocked(runner: Runner, sold: baskets.Assortment) -> Mapping[str, str]:
    """Put everything on sale: the products' ids by SKU."""
    exported = runner.stack.exported()
    async with Edge.connect(exported["EDGE_URL"]) as edge:
        await edge.sign_in(exported["ADMIN_EMAIL"], exported["ADMIN_PASSWORD"])
        catalog = RestCatalog(edge)
        await load.load(catalog, sold.shop)
        return await catalog.products()


def _learned(runner: Runner, orders: int) -> float:
    """Wait until so many orders are counted: the seconds that took. Raises StackError when they are not in time."""
    begun = time.monotonic()
    while runner.books.number(NAME, _COUNTED) < orders:
        if time.monotonic() - begun > LEARNED_S:
            raise problems.StackError(f"{NAME} has not counted {orders} orders within {LEARNED_S:.0f} s")
        time.sleep(POLL_S)
    return time.monotonic() - begun


async def _asked(
    runner: Runner, ids: Mapping[str, str], asked: Sequence[Question]
) -> tuple[list[list[str]], list[float]]:
    """The answers, as SKUs, and how long each took in milliseconds."""
    skus = {product_id: sku for sku, product_id in ids.items()}
    latencies: list[float] = []
    async with Edge.connect(runner.stack.exported()["EDGE_URL"]) as edge:

        async def one(question: Question) -> list[str]:
            begun = time.monotonic()
            answer = await edge.get(f"/api/v1/products/{ids[question.about]}/related", limit=SHOWN)
            latencies.append(1000 * (time.monotonic() - begun))
            return [skus[each["product_id"]] for each in answer["recommendations"]]

        return await _some_at_a_time([one(question) for question in asked]), latencies


async def _some_at_a_time(calls: Sequence[Awaitable[list[str]]]) -> list[list[str]]:
    """The results of all, in their order, ASKED_AT_ONCE under way."""
    free = asyncio.Semaphore(ASKED_AT_ONCE)

    async def one(call: Awaitable[list[str]]) -> list[str]:
        async with free:
            return await call

    return list(await asyncio.gather(*map(one, calls)))
