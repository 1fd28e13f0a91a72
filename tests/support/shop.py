"""The shop as its customers use it: over REST, through the edge of the running stack.

async with shop.opened(stack.environment()) as opened:
    tea = await opened.product(stock=5)
    customer = opened.customer()
    order = await customer.place(shop.basket((tea, 2)))
    ended = await customer.settled(order["id"])
"""

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.chassis import clock, ids
from services.user import tokens

Json = dict[str, Any]

ISSUER, AUDIENCE = "https://souk.local", "souk"
ADDRESS = {"recipient": "Ada Bazaar", "line1": "1 Market Street", "city": "Springfield", "country": "US"}
CATEGORY = "of-the-tests"
# The provider's token of a card that pays.
PAYS = "card_approved"
# Where an order is that is paid: nobody of the tests' shop picks and packs, unless a test does.
PAID = "FULFILLING"
POLL_S = 0.05
SETTLE_S = 30.0
CENTS = 100
NANOS_OF_A_CENT = 10_000_000


@dataclass(frozen=True, slots=True)
class Product:
    """A product with one SKU; cents is what one costs."""

    id: str
    sku: str
    cents: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the edge: who they are, and a client that says so with each call."""

    user_id: str
    email: str
    token: str
    http: httpx.AsyncClient

    async def place(self, basket: Json, *, key: str = "") -> Json:
        """Place an order that is accepted. Repeating it with the same key places it once."""
        answer = await self.post("/api/v1/orders", basket, key=key)
        return taken(answer)

    async def post(self, path: str, body: Json, *, key: str = "") -> httpx.Response:
        """A POST, with an idempotency key when one is given."""
        return await self.http.post(path, json=body, headers={"Idempotency-Key": key} if key else {})

    async def order(self, order_id: str) -> Json:
        """An order as it is now."""
        return taken(await self.http.get(f"/api/v1/orders/{order_id}"))

    async def status(self, order_id: str) -> Json:
        """Where an order is, with its saga and its history."""
        return taken(await self.http.get(f"/api/v1/orders/{order_id}/status"))

    async def cancel(self, order_id: str) -> Json:
        """Ask for an order to be cancelled."""
        return taken(await self.http.put(f"/api/v1/orders/{order_id}/cancel", json={}))

    async def payment(self, order_id: str) -> Json:
        """The payment of an order."""
        return taken(await self.http.get(f"/api/v1/payments/{order_id}"))

    async def reached(self, order_id: str, *statuses: str, within_s: float = SETTLE_S) -> Json:
        """Wait until an order is in one of these statuses. Raises AssertionError when it is not in time."""
        return await self._awaited(order_id, lambda now: now["status"] in statuses, f"not {statuses}", within_s)

    async def settled(self, order_id: str, *, within_s: float = SETTLE_S) -> Json:
        """Wait until an order is at its end or waits for its parcels: the order then. Raises AssertionError if it is late."""
        await self._awaited(order_id, at_rest, "not settled", within_s)
        return await self.order(order_id)

    async def stock(self, product: Product) -> Json:
        """What there is of a product: on_hand, reserved and available as numbers."""
        found = taken(await self.http.get(f"/api/v1/inventory/{product.sku}"))
        return {name: int(found[name]) for name in ("on_hand", "reserved", "available")}

    async def _awaited(self, order_id: str, happened: Any, complaint: str, within_s: float) -> Json:
        until = time.monotonic() + within_s
        while not happened(now := await self.status(order_id)):
            assert time.monotonic() < until, f"order {order_id} is {complaint} after {within_s} s: {now}"
            await asyncio.sleep(POLL_S)
        return now


def at_rest(status: Json) -> bool:
    """Whether an order is at its end, or waits for nobody but those who bring it."""
    saga = status["saga"]
    return saga["step"] == "DONE" or (saga["step"] == "DELIVERY" and not {"stop", "stop_unpaid"} & {*saga["awaiting"]})


class Shop:
    """An open shop: hands out people and puts products on its shelves."""

    def __init__(self, environment: Mapping[str, str], closing: AsyncExitStack) -> None:
        self.environment = environment
        self._closing = closing
        self._keys = tokens.KeyRing(Path(environment["USER_SIGNING_KEY_DIR"]))

    async def stranger(self) -> Person:
        """Somebody without a token."""
        return await self._person("", "")

    async def customer(self) -> Person:
        """Somebody who buys. There is no account behind the token; services ask for none."""
        return await self.somebody("CUSTOMER")

    async def vendor(self) -> Person:
        """Somebody who sells."""
        return await self.somebody("VENDOR")

    async def admin(self) -> Person:
        """Somebody who runs the shop."""
        return await self.somebody("ADMIN")

    async def somebody(self, *roles: str) -> Person:
        """Somebody with these roles."""
        user_id = ids.new_id(clock.utc_now())
        return await self._person(user_id, self.token(user_id, *roles))

    async def registered(self, *, called: str = "Ada Bazaar", email: str = "") -> tuple[Person, str]:
        """Somebody with an account, made through the edge as anybody does, and their password."""
        email, password = email or f"customer-{uuid.uuid4()}@example.com", secrets.token_urlsafe(18)
        stranger = await self.stranger()
        account = {"email": email, "password": password, "display_name": called}
        session = taken(await stranger.post("/api/v1/users/register", account))
        return await self._person(session["user"]["id"], session["access_token"], email), password

    async def category(self, slug: str = CATEGORY) -> str:
        """A shelf to put products on; there may be one with that name already."""
        admin = await self.admin()
        made = taken(await admin.http.put(f"/api/v1/categories/{slug}", json={"title": "Of the tests"}))
        return str(made["slug"])

    async def product(self, *, stock: int = 10, cents: int = 1250, west: int = 0) -> Product:
        """A new product with so many on the shelf in the warehouse `east`, and in `west`."""
        admin, sku = await self.admin(), new_sku()
        await self.category()
        made = taken(await admin.post("/api/v1/products", product_body(sku, cents)))
        product = Product(made["id"], sku, cents)
        for warehouse, count in {"east": stock, "west": west}.items():
            if count:
                await self.put_stock(product, count, warehouse)
        return product

    async def put_stock(self, product: Product, count: int, warehouse: str = "east") -> None:
        """Say how many lie in a warehouse."""
        admin = await self.admin()
        taken(
            await admin.http.put(
                f"/api/v1/products/{product.id}/stock", json={"warehouse": warehouse, "on_hand": count}
            )
        )

    async def promotion(self, *, uses: int = 0, **terms: Any) -> tuple[str, str]:
        """A promotion of ten per cent, or with these terms, and a code of it for so many uses (0: without a limit)."""
        admin, code = await self.admin(), f"T-{new_key()[:20]}".upper()
        body = {"terms": {"title": "Ten per cent", "percentage": {"basis_points": 1000}} | terms}
        made = taken(await admin.post("/api/v1/promotions", body, key=new_key()))
        codes = {"code": code, "most_uses": uses}
        taken(await admin.post(f"/api/v1/promotions/{made['id']}/codes", codes, key=new_key()))
        return str(made["id"]), code

    async def uses_of(self, promotion_id: str) -> int:
        """How many orders use a promotion."""
        admin = await self.admin()
        return int(taken(await admin.http.get(f"/api/v1/promotions/{promotion_id}"))["uses"])

    def token(self, user_id: str, *roles: str, lifetime_s: int = 900, **claims: object) -> str:
        """An access token as the user service signs it; claims replace its own."""
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "roles": list(roles)}
        return self._keys.sign({**usual, "iat": now, "exp": now + lifetime_s, **claims})

    async def _person(self, user_id: str, token: str, email: str = "") -> Person:
        return Person(user_id, email, token, await self._closing.enter_async_context(self._client(token)))

    def _client(self, token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = self.environment["EDGE_URL"]
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False)


@asynccontextmanager
async def opened(environment: Mapping[str, str]) -> AsyncIterator[Shop]:
    """The shop of this stack; whoever it handed out is disconnected at the end."""
    async with AsyncExitStack() as closing:
        yield Shop(environment, closing)


def basket(*items: tuple[Product, int], card: str = PAYS) -> Json:
    """The body that orders so many of these products."""
    lines = [{"sku": product.sku, "quantity": quantity} for product, quantity in items]
    return {"items": lines, "shipping_address": ADDRESS, "payment_method": card}


def product_body(sku: str, cents: int = 1250, *, category: str = CATEGORY, currency: str = "USD") -> Json:
    """The body that makes a product with one SKU."""
    price = {"currency_code": currency, "units": cents // CENTS, "nanos": cents % CENTS * NANOS_OF_A_CENT}
    variant = {"sku": sku, "title": "", "price": price}
    return {"title": f"Product {sku}", "category": category, "variants": [variant]}


def cents(money: Json) -> int:
    """An amount of money in cents."""
    return int(money["units"]) * CENTS + int(money["nanos"]) // NANOS_OF_A_CENT


def new_sku() -> str:
    """A SKU that nobody used before: with a UUID, because twelve digits by chance may be the number of a payment card."""
    return f"TEST-{uuid.uuid4()}".upper()


def new_key() -> str:
    """An idempotency key that nobody used before."""
    return secrets.token_hex(16)


def taken(answer: httpx.Response) -> Json:
    """The body of an answer that is a success. Raises AssertionError with the error otherwise."""
    assert answer.status_code == 200, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    )
    body: Json = answer.json()
    return body
