"""What the bench does: five scenarios, each a load and what must hold after it."""

import asyncio
import dataclasses
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.bench import shop
from scripts.bench.run import Load, Measurement, Runner
from scripts.operate.audit import __main__ as audit

SUSTAINED, COUPONS, HALF = "sustained", "coupons", "half"
HOT_SKU, ONE_AT_A_TIME = "hot_sku", "one_at_a_time"
LINES = 3
HOT_UNITS = 500
# Long enough for a Java virtual machine to compile what it does often.
WARM_UP_S = 20.0
# An open loop needs connections for the moments when the shop is behind.
OPEN_CONNECTIONS = 256
# Disagreements that a report names.
SHOWN = 10
ONE_EVENT = {"CONSUMER_BATCH": "1"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """How much of it: seconds of the load, connections, orders for the hot SKU and for one at a time.

    `rate` is that of `half`; 0 for half of what `sustained` has just shown.
    """

    seconds: float
    connections: int
    hot_orders: int
    single_orders: int
    rate: float = 0.0


@dataclass(slots=True)
class Scenarios:
    """Runs scenarios by name, against one stack."""

    runner: Runner
    wishes: Wishes
    results: dict[str, Measurement] = field(default_factory=dict)

    def run(self, name: str) -> Measurement:
        """Run one scenario and audit the books after it. Raises StackError."""
        measured = _SCENARIOS[name](self)
        self.results[name] = dataclasses.replace(measured, problems=[*measured.problems, *self._disagreements()])
        return self.results[name]

    def _disagreements(self) -> list[str]:
        """What the auditor finds now that everything is at rest, and nothing may be on its way; the first of many."""
        books = audit.books_of(self.runner.stack.exported())
        report = audit.audit(books, at_rest_s=0, again_s=0)
        found = [*report.problems, *report.remarks]
        return [*found[:SHOWN], *([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])]

    def warm_up(self) -> None:
        """Let everything run at speed before anything is counted."""
        self.runner.measure(self._usual(seconds=WARM_UP_S))

    def sustained(self) -> Measurement:
        """As many orders as the shop takes, over a fixed number of connections."""
        return self.runner.measure(self._usual(seconds=self.wishes.seconds))

    def coupons(self) -> Measurement:
        """The same for half as long, and every order redeems a coupon: one more service has a part in each."""
        code = asyncio.run(shop.coupon(self._edge_url, self._admin))
        usual = self._usual(seconds=self.wishes.seconds / 2)
        return self.runner.measure(dataclasses.replace(usual, coupon=code))

    def half(self) -> Measurement:
        """Orders at half the sustained rate, whether or not the shop keeps up, for half as long."""
        rate = self.wishes.rate or self.results[SUSTAINED].confirmed_per_s / 2
        usual = self._usual(seconds=self.wishes.seconds / 2)
        return self.runner.measure(dataclasses.replace(usual, rate=round(rate, 1), connections=OPEN_CONNECTIONS))

    def hot_sku(self) -> Measurement:
        """Thousands of orders race for a few hundred units of one SKU: those are sold, and not one more."""
        sku = f"HOT-{secrets.token_hex(4).upper()}"
        asyncio.run(shop.stock_up(self._edge_url, self._admin, {sku: {shop.WAREHOUSES[0]: HOT_UNITS}}))
        racing = Load((sku,), 1, self.wishes.connections, seconds=600, most=self.wishes.hot_orders, units=1)
        measured = self.runner.measure(racing)
        expected = min(HOT_UNITS, measured.orders.accepted)
        if measured.orders.confirmed == expected:
            return measured
        wrong = f"{measured.orders.confirmed} orders of {HOT_UNITS} units were confirmed, not {expected}"
        return dataclasses.replace(measured, problems=[*measured.problems, wrong])

    def one_at_a_time(self) -> Measurement:
        """The usual load, fewer orders, while every consumer handles one event per transaction."""
        self.runner.stack.restart_services(ONE_EVENT)
        try:
            usual = self._usual(seconds=self.wishes.seconds)
            return self.runner.measure(dataclasses.replace(usual, most=self.wishes.single_orders))
        finally:
            self.runner.stack.restart_services({})

    @property
    def _edge_url(self) -> str:
        return self.runner.stack.exported()["EDGE_URL"]

    @property
    def _admin(self) -> tuple[str, str]:
        exported = self.runner.stack.exported()
        return exported["ADMIN_EMAIL"], exported["ADMIN_PASSWORD"]

    def _usual(self, seconds: float) -> Load:
        return Load(shop.usual_skus(), LINES, self.wishes.connections, seconds)


_SCENARIOS: dict[str, Callable[[Scenarios], Measurement]] = {
    SUSTAINED: Scenarios.sustained,
    COUPONS: Scenarios.coupons,
    HALF: Scenarios.half,
    HOT_SKU: Scenarios.hot_sku,
    ONE_AT_A_TIME: Scenarios.one_at_a_time,
}
NAMES = tuple(_SCENARIOS)
