"""What the bench sells and who buys it: its own products with plenty of stock, a hot one with little, some customers."""

import asyncio
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.operate.edge import Edge
from scripts.sample_data import coupon as coupons
from scripts.sample_data import load
from scripts.sample_data.over_rest import RestCatalog
from scripts.sample_data.shop import Category, Product, Shop, Variant

SKUS = 200
PLENTY = 10_000_000
WAREHOUSES = ("east", "west")
CUSTOMERS = 20
CATEGORY = Category("bench", "Bench")


@dataclass(frozen=True, slots=True)
class Customer:
    """A registered customer. Tokens last for minutes, so each scenario signs in anew."""

    email: str
    password: str

    @classmethod
    def new(cls) -> "Customer":
        """One whom nobody knows yet."""
        return cls(f"bench-{uuid.uuid4()}@example.com", secrets.token_urlsafe(18))


def usual_skus() -> tuple[str, ...]:
    """What is always there."""
    return tuple(f"BENCH-{number:03d}" for number in range(SKUS))


async def stock_up(edge_url: str, admin: tuple[str, str], stock: dict[str, dict[str, int]]) -> None:
    """Put products with these SKUs on sale, so many in each warehouse. `admin`: e-mail and password. Raises EdgeError."""
    products = tuple(_product(sku, levels) for sku, levels in stock.items())
    async with Edge.connect(edge_url) as edge:
        await edge.sign_in(*admin)
        await load.load(RestCatalog(edge), Shop((CATEGORY,), products))


async def coupon(edge_url: str, admin: tuple[str, str]) -> str:
    """A new code that takes ten per cent off every order of everybody. `admin`: e-mail and password. Raises EdgeError."""
    code = f"BENCH{secrets.token_hex(4).upper()}"
    async with Edge.connect(edge_url) as edge:
        await edge.sign_in(*admin)
        terms = {"title": "Bench", "percentage": {"basis_points": 1000}}
        promotion = await edge.post(coupons.PROMOTIONS, {"terms": terms}, key=code)
        await coupons.add_code(edge, promotion, code, key=f"{code}-code")
    return code


def plenty() -> dict[str, dict[str, int]]:
    """Stock that no run sells out."""
    return {sku: dict.fromkeys(WAREHOUSES, PLENTY) for sku in usual_skus()}


async def register(edge_url: str) -> list[Customer]:
    """New customers. Raises EdgeError."""
    customers = [Customer.new() for _ in range(CUSTOMERS)]
    async with Edge.connect(edge_url) as edge:
        for customer in customers:
            await edge.register(customer.email, customer.password, "Bench Customer")
    return customers


async def sign_in(edge_url: str, customers: Sequence[Customer]) -> tuple[str, ...]:
    """An access token for each customer. Raises EdgeError."""

    async def token(customer: Customer) -> str:
        async with Edge.connect(edge_url) as edge:
            await edge.sign_in(customer.email, customer.password)
            return edge.token

    return tuple(await asyncio.gather(*(token(customer) for customer in customers)))


def _product(sku: str, levels: dict[str, int]) -> Product:
    cents = 100 + sum(sku.encode()) % 5000
    return Product(f"Product {sku}", "Sold by the bench.", CATEGORY.slug, (Variant(sku, "", cents, levels),))
