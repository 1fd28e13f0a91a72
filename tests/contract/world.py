"""What the tests of bad input act upon: people, a product of each currency and kind, an order; and what must not change."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support import audit, shipments, shop
from tests.support.polling import eventually

# The error's code, as gRPC numbers them, by the status that REST gives.
CODES: Mapping[int, frozenset[int]] = {
    400: frozenset({3, 9}),
    401: frozenset({16}),
    403: frozenset({7}),
    404: frozenset({5}),
    405: frozenset({12}),
    409: frozenset({6, 10}),
    413: frozenset({3}),
}
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


@dataclass(frozen=True, slots=True)
class World:
    """A corner of the shop that belongs to one test module. `products` are by what is special about them."""

    people: Mapping[str, shop.Person]
    category: str
    products: Mapping[str, shop.Product]
    order_id: str
    password: str

    async def send(self, who: str, verb: str, path: str, **options: Any) -> httpx.Response:
        """A request of somebody's. The path may name {order}, {product} (the vendor's), {category} and {unknown}."""
        product = self.products["vendors"]
        filled = path.format(
            order=self.order_id,
            product=product.id,
            category=self.category,
            unknown="0190a000-0000-7000-8000-000000000000",
        )
        return await self.people[who].http.request(verb, filled, **options)

    async def seen(self, auditor: audit.Auditor) -> dict[str, Any]:
        """All that a refused request could have changed."""
        customer = self.people["customer"]
        page = {"category": self.category, "page_size": "100"}
        shelves = shop.taken(await customer.http.get("/api/v1/categories"))["categories"]
        listed = shop.taken(await customer.http.get("/api/v1/products", params=page))
        for product in listed["products"]:
            # What was ordered lately is counted behind the order path, and told when its time has come.
            del product["popularity"]
        return {
            "orders": await auditor.orders_of(customer.user_id),
            "order": await customer.status(self.order_id),
            "products": listed,
            "stock": {name: await customer.stock(product) for name, product in self.products.items()},
            "shelves": [shelf for shelf in shelves if shelf["slug"] in {self.category, "shelf"}],
            "wishes": shop.taken(await customer.http.get("/api/v1/notifications/preferences")),
            "messages": await _templates(self.people["registered"]),
            "account": shop.taken(await self.people["registered"].http.get("/api/v1/users/me")),
        }


async def made(market: shop.Shop) -> World:
    """A world with nothing under way in it."""
    registered, password = await market.registered()
    people = {
        "nobody": await market.stranger(),
        "customer": await market.customer(),
        "vendor": await market.vendor(),
        "rival": await market.vendor(),
        "admin": await market.admin(),
        "registered": registered,
    }

    async def welcomed() -> bool:
        return "welcome" in await _templates(registered)

    await eventually(welcomed, within_s=60)
    category = await market.category(f"contract-{uuid.uuid4()}")
    products = {
        "vendors": await _product(people["vendor"], category, 1250, "USD"),
        "gold": await _product(people["vendor"], category, 200_000_000, "USD"),
        "foreign": await _product(people["vendor"], category, 1250, "EUR"),
    }
    order = await people["customer"].place(shop.basket((products["vendors"], 1)))
    await people["customer"].settled(order["id"])
    await shipments.deliver(people["customer"], people["admin"], order["id"])
    return World(people, category, products, order["id"], password)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The status and the reason of an error, which has the one shape that all errors have."""
    assert answer.status_code >= 400, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"code", "message", "details"}
    assert body["code"] in CODES[answer.status_code]
    assert body["message"]
    [info] = [detail for detail in body["details"] if detail["@type"] == INFO]
    assert info["domain"].endswith(".souk")
    return answer.status_code, info["reason"]


def wrong_fields(answer: httpx.Response) -> set[str]:
    """The fields that an error names as wrong, each of them with words for a person."""
    violations = [
        violation
        for detail in answer.json()["details"]
        if detail["@type"] == BAD_REQUEST
        for violation in detail["field_violations"]
    ]
    assert all(violation["description"] for violation in violations)
    return {violation["field"] for violation in violations}


async def _templates(person: shop.Person) -> list[str]:
    """What somebody was told, the newest first."""
    history = shop.taken(await person.http.get("/api/v1/notifications/history"))
    return [message["template"] for message in history["notifications"]]


async def _product(vendor: shop.Person, category: str, cents: int, currency: str) -> shop.Product:
    sku = shop.new_sku()
    body = shop.product_body(sku, cents, category=category, currency=currency)
    product = shop.Product(shop.taken(await vendor.post("/api/v1/products", body))["id"], sku, cents)
    stock = {"warehouse": "east", "on_hand": 10}
    shop.taken(await vendor.http.put(f"/api/v1/products/{product.id}/stock", json=stock))
    return product
