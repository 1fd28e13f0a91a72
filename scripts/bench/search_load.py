"""The load of the scenario `search`: a process of its own, so that what it costs is left out of the shop's account.

    python -m scripts.bench.search_load <plan.json >outcome.json

Searches come at a fixed rate whatever the shop does, and their latency counts from the moment they were due. Meanwhile prices
and stock change. What changes is what customers have just been shown, which is the hardest for whoever remembers answers: each
changed price is asked for, by a search that showed the product, until it is seen.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from scripts.bench import assortment, http1, requests

PATIENCE_S = 30.0
# A changed price is asked for so often, in seconds.
PROBE_S = 0.05
CONNECTIONS = 32
CHANGERS = 8
SAMPLES_KEPT = 5
STOCK = (0, 50)
SEARCH = "/api/v1/products/search"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many searches, changed prices and changed levels of stock a second, for how long. No two runs have one `seed`."""

    host: str
    port: int
    token: str
    seconds: float
    searches_per_s: float
    prices_per_s: float
    levels_per_s: float
    seed: int


@dataclass(slots=True)
class Outcome:
    """What came of it. Times are seconds since the epoch; durations are in milliseconds.

    fresh_ms is the time from the answer to a change of a price to the first answer of a search that shows it; unseen are
    prices that no search showed in time, and probes the searches that looked for them.
    """

    started: float = 0.0
    stopped: float = 0.0
    searches: int = 0
    unanswered: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    prices_changed: int = 0
    levels_changed: int = 0
    fresh_ms: list[float] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    probes: int = 0
    samples: list[str] = field(default_factory=list)
    cpu_s: float = 0.0


class Caller:
    """Sends requests over a few connections, which are kept."""

    def __init__(self, plan: Plan, connections: int) -> None:
        self._plan = plan
        self._idle: list[http1.Connection | None] = [None] * connections
        self._free = asyncio.Semaphore(connections)

    async def ask(self, method: str, path: str, body: Json | None = None) -> http1.Answer:
        """The answer. Raises OSError or TimeoutError."""
        async with self._free:
            connection = self._idle.pop()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    if connection is None or not connection.usable:
                        connection = await http1.Connection.open(self._plan.host, self._plan.port)
                    return await connection.ask(_request(self._plan, method, path, body))
            except (OSError, TimeoutError):
                if connection:
                    connection.close()
                connection = None
                raise
            finally:
                self._idle.append(connection)

    def close(self) -> None:
        """Close all connections."""
        for connection in filter(None, self._idle):
            connection.close()


class Load:
    """Carries out one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._queries = assortment.queries(plan.seed)
        self._chance = random.Random(plan.seed)  # noqa: S311 - the same changes in every run, no secret
        self._searching = Caller(plan, CONNECTIONS)
        self._changing = Caller(plan, CHANGERS)
        # The searches that were answered with products, the last of each text.
        self._shown: dict[str, list[str]] = {}
        # Products whose price is being changed, and whose change was not seen yet.
        self._busy: set[str] = set()
        self._statuses: Counter[int] = Counter()
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        """Send, wait for the last answer, and tell."""
        plan, outcome = self._plan, self.outcome
        cpu, outcome.started = time.process_time(), time.time()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._every(plan.searches_per_s, self._search))
            tasks.create_task(self._every(plan.prices_per_s, self._change_price))
            tasks.create_task(self._every(plan.levels_per_s, self._change_level))
        outcome.stopped = time.time()
        outcome.cpu_s = time.process_time() - cpu
        outcome.statuses = {str(status): count for status, count in self._statuses.items()}
        for caller in (self._searching, self._changing):
            caller.close()
        return outcome

    async def _every(self, rate: float, act: Callable[[float], Awaitable[None]]) -> None:
        """Begin so many a second, whether or not the earlier ones have ended."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(round(self._plan.seconds * rate)):
                due = begun + number / rate
                if (early := due - time.monotonic()) > 0:
                    await asyncio.sleep(early)
                tasks.create_task(self._tried(act, due))

    async def _tried(self, act: Callable[[float], Awaitable[None]], due: float) -> None:
        try:
            await act(due)
        except (OSError, TimeoutError) as error:
            self.outcome.unanswered += 1
            self._keep_sample(repr(error))

    async def _search(self, due: float) -> None:
        query = next(self._queries)
        self.outcome.searches += 1
        answer = await self._searching.ask("GET", f"{SEARCH}?{query}")
        if self._well(answer):
            self.outcome.latencies_ms.append(round(1000 * (time.monotonic() - due), 3))
            if query not in self._shown and (found := versions(answer)):
                self._shown[query] = list(found)

    async def _change_price(self, _due: float) -> None:
        """Change the price of a product that a search has shown, and look until a search shows it."""
        query, product_id = self._somebody()
        if not product_id or product_id in self._busy:
            return
        self._busy.add(product_id)
        try:
            product = await self._product(product_id)
            answer = await self._changing.ask("PUT", f"/api/v1/products/{product_id}", changed(product, self._chance))
            changed_at = time.monotonic()
            if self._well(answer):
                self.outcome.prices_changed += 1
                await self._until_seen(query, product_id, int(json.loads(answer.body)["version"]), changed_at)
        finally:
            self._busy.discard(product_id)

    async def _until_seen(self, query: str, product_id: str, version: int, changed_at: float) -> None:
        """Ask until the answer shows this version, or no longer the product."""
        while time.monotonic() < changed_at + PATIENCE_S:
            self.outcome.probes += 1
            answer = await self._changing.ask("GET", f"{SEARCH}?{query}")
            if self._well(answer) and versions(answer).get(product_id, version) >= version:
                self.outcome.fresh_ms.append(round(1000 * (time.monotonic() - changed_at), 3))
                return
            await asyncio.sleep(PROBE_S)
        self.outcome.unseen.append(f"{product_id} in {query}")

    async def _change_level(self, _due: float) -> None:
        """Sell a product out that a search has shown, or get new ones."""
        _, product_id = self._somebody()
        if not product_id:
            return
        product = await self._product(product_id)
        counted = {"sku": product["variants"][0]["sku"], "warehouse": assortment.WAREHOUSE}
        path, level = f"/api/v1/products/{product_id}/stock", {"on_hand": self._chance.choice(STOCK)}
        if self._well(await self._changing.ask("PUT", path, counted | level)):
            self.outcome.levels_changed += 1

    def _somebody(self) -> tuple[str, str]:
        """A search that customers ask for, as often as they do, and a product that it showed; empty before one showed any."""
        for query in itertools.islice(self._queries, 1_000):
            if found := self._shown.get(query):
                return query, self._chance.choice(found)
        return "", ""

    async def _product(self, product_id: str) -> Json:
        answer = await self._changing.ask("GET", f"/api/v1/products/{product_id}")
        if not self._well(answer):
            raise ConnectionAbortedError(f"the product {product_id} cannot be read: {answer.status}")
        product: Json = json.loads(answer.body)
        return product

    def _well(self, answer: http1.Answer) -> bool:
        self._statuses[answer.status] += 1
        if answer.status < 300:
            return True
        self._keep_sample(f"{answer.status} {answer.body[:400].decode(errors='replace')}")
        return False

    def _keep_sample(self, text: str) -> None:
        if len(self.outcome.samples) < SAMPLES_KEPT:
            self.outcome.samples.append(text)


def versions(answer: http1.Answer) -> dict[str, int]:
    """The products that an answer shows, and the version of each."""
    return {each["product_id"]: int(each["version"]) for each in json.loads(answer.body)["results"]}


def changed(product: Json, chance: random.Random) -> Json:
    """The product with another price, as `UpdateProduct` takes it."""
    names = ("version", "title", "description", "category", "attributes", "tax_class")
    [variant] = product["variants"]
    price = {"currency_code": variant["price"]["currency_code"], "units": chance.randint(1, 1_000), "nanos": 0}
    sold = {"sku": variant["sku"], "title": variant["title"], "price": price}
    return {name: product[name] for name in names} | {"variants": [sold]}


def _request(plan: Plan, method: str, path: str, body: Json | None) -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode() if body is not None else b""
    head = f"{method} {path} HTTP/1.1\r\nhost: {plan.host}:{plan.port}\r\nuser-agent: {requests.AGENT}\r\n"
    if body is not None:
        head += f"authorization: Bearer {plan.token}\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def main() -> int:
    """Carry out the plan on standard input. Answers with a process exit code."""
    plan = Plan(**json.load(sys.stdin))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(Load(plan).run())
    json.dump(asdict(outcome), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
