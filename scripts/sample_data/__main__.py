"""Fills the shop, and says in one line what it did. The package's docstring is its manual."""

import asyncio
import dataclasses
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from scripts.operate import environment, first_cart
from scripts.operate.edge import Edge, EdgeError
from scripts.sample_data import coupon, shop, vendor
from scripts.sample_data.load import Catalog, Made, load
from scripts.sample_data.over_grpc import GrpcCatalog
from scripts.sample_data.over_rest import RestCatalog
from services.chassis import errors, settings


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the shop is, and who may fill it."""

    edge_url: str = settings.env("EDGE_URL")
    admin_email: str = settings.env("ADMIN_EMAIL")
    admin_password: str = settings.env("ADMIN_PASSWORD", secret=True)
    vendor_email: str = settings.env("VENDOR_EMAIL", default="")
    vendor_password: str = settings.env("VENDOR_PASSWORD", default="", secret=True)
    catalog_addr: str = settings.env("CATALOG_ADDR", default="")
    inventory_addr: str = settings.env("INVENTORY_ADDR", default="")
    mesh_tls_dir: str = settings.env("MESH_TLS_DIR", default="")


@asynccontextmanager
async def _reached(chosen: Settings, edge: Edge) -> AsyncIterator[Catalog]:
    """The shop as whoever signed in at the edge."""
    if not (chosen.catalog_addr and chosen.inventory_addr):
        yield RestCatalog(edge)
        return
    direct = GrpcCatalog.connect(chosen.catalog_addr, chosen.inventory_addr, edge.token, tls=chosen.mesh_tls_dir)
    try:
        yield direct
    finally:
        await direct.close()


async def _fill(chosen: Settings) -> None:
    started = time.monotonic()
    whole = shop.read()
    async with Edge.connect(chosen.edge_url) as admin:
        await admin.sign_in(chosen.admin_email, chosen.admin_password)
        async with _reached(chosen, admin) as catalog:
            made = await load(catalog, whole)
        new_coupon = await coupon.make(admin)
        if chosen.vendor_email and chosen.vendor_password:
            made += await _fill_vendors(chosen, admin)
            whole = dataclasses.replace(whole, products=(*whole.products, *shop.vendor().products))
    print(
        f"sample data: {len(whole.categories)} categories, {len(whole.products)} products are there"
        f" (new: {made.categories} categories, {made.products} products, {made.levels} stock levels)"
        f", coupon {first_cart.COUPON} {'is new' if new_coupon else 'is there'}"
        f" in {time.monotonic() - started:.1f} s"
    )


async def _fill_vendors(chosen: Settings, admin: Edge) -> Made:
    """The vendor makes their own products: the shop's word for whose they are is who made them."""
    theirs = shop.vendor()
    async with Edge.connect(chosen.edge_url) as edge:
        account = vendor.Account(chosen.vendor_email, chosen.vendor_password, theirs.display_name)
        await vendor.sign_in(edge, admin, account)
        async with _reached(chosen, edge) as catalog:
            return await load(catalog, shop.Shop((), theirs.products))


def main() -> int:
    """Fill the shop. Answers with a process exit code."""
    try:
        asyncio.run(_fill(settings.read(Settings, environment.here())))
    except settings.SettingsError as unset:
        print(f"sample data: {'; '.join(str(unset).splitlines())}: start the stack with `make run`", file=sys.stderr)
        return 1
    except (EdgeError, errors.DomainError, errors.TransientError, OSError) as failure:
        print(f"sample data: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
