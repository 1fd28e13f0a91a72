"""What a back office does with stock, through the edge: where orders are sent from, transfers, deliveries, counts, forecasts."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
import pytest_asyncio

from tests.support import audit, shop
from tests.support.polling import eventually

INVENTORY = "/api/v1/inventory"
# Beside the Pacific and the Atlantic.
OAKLAND, NEWARK = {"latitude": 37.8, "longitude": -122.3}, {"latitude": 40.7, "longitude": -74.2}
SETTLE_S = 30.0


@dataclass(frozen=True, slots=True)
class Office:
    """An administrator, two warehouses of their own on either side of the country, and tea that lies there."""

    market: shop.Shop
    admin: shop.Person
    pacific: str
    atlantic: str
    tea: shop.Product

    async def lies(self, product: shop.Product | None = None) -> dict[str, int]:
        """How many lie in each warehouse."""
        sku = (product or self.tea).sku
        found = shop.taken(await self.admin.http.get(f"{INVENTORY}/{sku}"))
        return {level["warehouse"]: int(level["on_hand"]) for level in found["levels"] if int(level["on_hand"])}

    async def stocked(self, **warehouses: int) -> shop.Product:
        """A product of which so many lie in the `pacific` and the `atlantic` warehouse."""
        product = await self.market.product(stock=0)
        for name, count in warehouses.items():
            await self.market.put_stock(product, count, getattr(self, name))
        return product

    async def post(self, path: str, body: shop.Json) -> shop.Json:
        """A POST of the administrator's to the inventory, which is taken."""
        return shop.taken(await self.admin.post(f"{INVENTORY}/{path}", body, key=shop.new_key()))

    async def moved(self) -> list[tuple[int, str]]:
        """What moved of the tea and why, the newest first."""
        found = shop.taken(await self.admin.http.get(f"{INVENTORY}/{self.tea.sku}/movements"))
        return [(int(one["delta"]), one["reason"]) for one in found["movements"]]

    async def agrees(self) -> bool:
        """Whether the stock of the tea is what its history says."""
        return bool((await self.post(f"{self.tea.sku}/audit", {}))["agreed"])


@pytest_asyncio.fixture
async def office(market: shop.Shop) -> Office:
    admin, own = await market.admin(), uuid.uuid4().hex[:8]
    for side, point in (("pacific", OAKLAND), ("atlantic", NEWARK)):
        body = {"title": side.title(), "preference": 9, "country": "US", "location": point}
        shop.taken(await admin.http.put(f"{INVENTORY}/warehouses/{side}-{own}", json=body))
    found = Office(market, admin, f"pacific-{own}", f"atlantic-{own}", await market.product(stock=0))
    await market.put_stock(found.tea, 10, found.pacific)
    return found


async def ordered(office: Office, region: str, *items: tuple[shop.Product, int]) -> str:
    """A confirmed order to this state."""
    customer = await office.market.customer()
    body = shop.basket(*items) | {"shipping_address": shop.ADDRESS | {"region": region}}
    placed = await customer.place(body)
    ended = await customer.settled(placed["id"])
    assert ended["status"] == shop.PAID
    return str(placed["id"])


async def test_an_order_is_sent_from_the_warehouse_near_its_address(office: Office) -> None:
    lamp = await office.stocked(pacific=5, atlantic=5)
    await ordered(office, "NY", (lamp, 2))
    assert await office.lies(lamp) == {office.pacific: 5, office.atlantic: 3}
    await ordered(office, "California", (lamp, 1))
    assert await office.lies(lamp) == {office.pacific: 4, office.atlantic: 3}


async def test_an_order_is_sent_in_one_parcel_from_afar_rather_than_in_two(
    office: Office, auditor: audit.Auditor
) -> None:
    lamp, pot = await office.stocked(pacific=5, atlantic=5), await office.stocked(pacific=5)
    order_id = await ordered(office, "NY", (lamp, 1), (pot, 1))
    assert await office.lies(lamp) == {office.pacific: 4, office.atlantic: 5}
    assert await office.lies(pot) == {office.pacific: 4}
    await auditor.audit([order_id])


async def test_an_order_that_no_warehouse_has_alone_is_sent_from_several(office: Office) -> None:
    lamp = await office.stocked(pacific=2, atlantic=2)
    await ordered(office, "NY", (lamp, 3))
    assert await office.lies(lamp) == {office.pacific: 1}


async def test_a_transfer_can_be_sold_where_it_went_once_it_arrived(office: Office) -> None:
    lines = [{"sku": office.tea.sku, "quantity": 4}]
    way = {"from_warehouse": office.pacific, "to_warehouse": office.atlantic, "lines": lines}
    transfer = await office.post("transfers", way)
    assert await office.lies() == {office.pacific: 6}
    listed = shop.taken(await office.admin.http.get(f"{INVENTORY}/transfers", params={"under_way": True}))
    assert transfer["id"] in [one["id"] for one in listed["transfers"]]
    await office.post(f"transfers/{transfer['id']}/receive", {})
    await ordered(office, "NJ", (office.tea, 4))
    assert await office.lies() == {office.pacific: 6}
    assert await office.moved() == [(-4, "SOLD"), (4, "TRANSFERRED"), (-4, "TRANSFERRED"), (10, "CORRECTED")]
    assert await office.agrees()


async def test_a_restock_order_says_when_goods_come_and_fills_the_shelf_when_they_do(office: Office) -> None:
    asked = {
        "supplier": "Potters",
        "warehouse": office.pacific,
        "lines": [{"sku": office.tea.sku, "quantity": 30}],
        "expected_time": "2050-01-01T00:00:00Z",
    }
    order = await office.post("restocks", asked)
    assert (order["state"], order["expected_time"]) == ("UNDER_WAY", asked["expected_time"])
    some = {"lines": [{"sku": office.tea.sku, "quantity": 25}]}
    assert (await office.post(f"restocks/{order['id']}/receive", some))["state"] == "UNDER_WAY"
    ended = shop.taken(await office.admin.http.put(f"{INVENTORY}/restocks/{order['id']}/end", json={}))
    assert ended["state"] == "ENDED"
    assert await office.lies() == {office.pacific: 35}
    assert await office.agrees()


async def test_a_count_of_a_warehouse_tells_what_differs_and_corrects_it(office: Office) -> None:
    other = await office.stocked(pacific=5)
    lines = [{"sku": office.tea.sku, "counted": 9}, {"sku": other.sku, "counted": 5}]
    count = await office.post("counts", {"warehouse": office.pacific, "lines": lines, "note": "Saturday"})
    assert {line["sku"]: int(line["difference"]) for line in count["lines"]} == {office.tea.sku: -1, other.sku: 0}
    assert await office.lies() == {office.pacific: 9}
    assert await office.moved() == [(-1, "COUNTED"), (10, "CORRECTED")]


async def test_a_forecast_says_what_there_is_and_what_comes(office: Office) -> None:
    await ordered(office, "CA", (office.tea, 2))
    found = shop.taken(await office.admin.http.get(f"{INVENTORY}/{office.tea.sku}/forecast", params={"cover_days": 14}))
    # What was sold today is no history yet.
    assert (int(found["available"]), int(found["incoming"]), found["history_days"]) == (8, 0, 0)
    assert len(found["days"]) == 7 + 14
    assert found["order_date"] == ""


async def test_a_vendor_is_told_of_what_fell_low_once_a_day(market: shop.Shop, environment: Mapping[str, str]) -> None:
    vendor = await _signed_in(market, environment)
    sku = shop.new_sku()
    body = shop.product_body(sku, category=await market.category())
    made = shop.taken(await vendor.post("/api/v1/products", body))
    stock = {"warehouse": "east", "on_hand": 9}
    shop.taken(await vendor.http.put(f"/api/v1/products/{made['id']}/stock", json=stock))
    admin, gone = await market.admin(), {"warehouse": "east", "delta": -6, "reason": "damaged"}
    shop.taken(await admin.post(f"{INVENTORY}/{sku}/adjust", gone, key=shop.new_key()))

    async def noted() -> bool:
        return await _aged(environment, sku) == 1

    await eventually(noted, within_s=SETTLE_S)

    async def told() -> bool:
        history = shop.taken(await vendor.http.get("/api/v1/notifications/history"))
        return any(one["template"] == "low_stock" and one["status"] == "SENT" for one in history["notifications"])

    await eventually(told, within_s=SETTLE_S)


async def _signed_in(market: shop.Shop, environment: Mapping[str, str]) -> shop.Person:
    """The vendor of the sample shop."""
    person = await market.stranger()
    credentials = {"email": environment["VENDOR_EMAIL"], "password": environment["VENDOR_PASSWORD"]}
    session = shop.taken(await person.post("/api/v1/users/login", credentials))
    person.http.headers["Authorization"] = f"Bearer {session['access_token']}"
    return person


async def _aged(environment: Mapping[str, str], sku: str) -> int:
    """Let a day pass for the note of a SKU: how many there are."""
    url = environment["NOTIFICATION_DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        asked = b"UPDATE low_stock SET since = since - interval '25 hours' WHERE sku = %s"
        return (await connection.execute(asked, [sku])).rowcount
