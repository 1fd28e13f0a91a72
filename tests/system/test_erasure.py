"""An erased person is found nowhere: what they wrote is looked for in every database of the shop, and in Redis."""

import secrets
from collections.abc import Iterator, Mapping

import psycopg
import redis
from psycopg import sql

from tests.support import sending_back, shipments, shop
from tests.support.polling import eventually

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def databases(environment: Mapping[str, str]) -> Iterator[str]:
    """The URLs of all databases."""
    yield from sorted({url for name, url in environment.items() if name.endswith("_DATABASE_URL")})


def tables_with(url: str, text: str) -> Iterator[str]:
    """The tables of a database, a row of which has this text; what is encoded is looked at too."""
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute(_TABLES).fetchall():
            query = sql.SQL(
                "SELECT count(*) FROM {} AS t WHERE strpos(lower(t::text), %s) > 0 OR strpos(t::text, %s) > 0"
            )
            found = connection.execute(query.format(sql.Identifier(name)), [text, text.encode().hex()]).fetchone()
            if found and found[0]:
                yield f"{url.rsplit('/', 1)[1]}.{name}"


def keys_with(url: str, text: str) -> Iterator[str]:
    """The keys of Redis, the name or value of which has this text."""
    wanted = text.encode()
    with redis.Redis.from_url(url) as store:
        for key in store.scan_iter(count=1000):
            value: bytes = store.dump(key) or b""
            if wanted in key.lower() or wanted in value.lower():
                yield f"redis {key!r}"


def found(environment: Mapping[str, str], text: str) -> list[str]:
    """Where this text is kept."""
    in_tables = [place for url in databases(environment) for place in tables_with(url, text)]
    return in_tables + list(keys_with(environment["REDIS_URL"], text))


async def test_what_names_an_erased_person_is_in_no_database_any_more(market: shop.Shop) -> None:
    canary = f"canary{secrets.token_hex(6)}"
    customer, password = await market.registered(called=f"Ada {canary}", email=f"{canary}@example.com")
    tea = await market.product(stock=5)
    home = shop.ADDRESS | {"recipient": f"Ada {canary}", "line1": f"1 {canary} Street"}
    shop.taken(await customer.post("/api/v1/users/me/addresses", {"label": canary, "address": home}))
    shop.taken(await customer.post("/api/v1/cart/items", {"sku": tea.sku, "quantity": 1}))
    order = await customer.place(shop.basket((tea, 2)) | {"shipping_address": home})
    await customer.settled(order["id"])
    shop.taken(await customer.post(f"/api/v1/orders/{order['id']}/notes", {"text": f"Ring at {canary}."}))
    admin = await market.admin()
    await shipments.deliver(customer, admin, order["id"])
    lines = [{"sku": tea.sku, "quantity": 1, "reason": "CHANGED_MIND"}]
    wish = {"lines": lines, "note": f"From {canary}", "photos": [f"https://example.com/{canary}.jpg"]}
    back = shop.taken(await customer.post(f"/api/v1/orders/{order['id']}/returns", wish))
    await sending_back.arrived(admin, back["id"], (tea.sku, 1, 0))
    await sending_back.refunded(customer, back["id"])
    before = found(market.environment, canary)
    assert {place.split(".")[0] for place in before} >= {
        "souk_user",
        "souk_order",
        "souk_shipping",
        "souk_notification",
    }

    shop.taken(await customer.post("/api/v1/users/me/erase", {"current_password": password}))

    left: list[str] = []

    async def gone() -> bool:
        left[:] = found(market.environment, canary)
        return not left

    try:
        await eventually(gone, within_s=30)
    except TimeoutError:
        raise AssertionError(f"still in {left}") from None
    seen = shop.taken(await admin.http.get(f"/api/v1/orders/{order['id']}"))
    assert (seen["total"], seen["lines"][0]["sku"]) == (order["total"], tea.sku)
