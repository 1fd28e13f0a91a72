"""The shop over REST, through the edge and its rate limits."""

from scripts.operate.edge import Edge
from scripts.sample_data.load import Shelved
from scripts.sample_data.shop import CURRENCY, Category, Product

PAGE = 100
CENTS = 100
NANOS_OF_A_CENT = 10_000_000


class RestCatalog:
    """The catalog and inventory routes of the edge."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def categories(self) -> set[str]:
        """The slugs of all categories."""
        answer = await self._edge.get("/api/v1/categories")
        return {category["slug"] for category in answer["categories"]}

    async def products(self) -> dict[str, str]:
        """The product's id of every SKU."""
        products = await self._edge.pages("/api/v1/products", "products", PAGE)
        return {variant["sku"]: product["id"] for product in products for variant in product["variants"]}

    async def stocked(self) -> set[tuple[str, str]]:
        """SKU and warehouse of all stock."""
        stocks = await self._edge.pages("/api/v1/inventory", "stock", PAGE)
        return {(level["sku"], level["warehouse"]) for stock in stocks for level in stock["levels"]}

    async def put_category(self, category: Category) -> None:
        """Make the category."""
        await self._edge.put(f"/api/v1/categories/{category.slug}", {"title": category.title})

    async def create_product(self, product: Product) -> str:
        """Make the product and answer with its id."""
        body = {
            "title": product.title,
            "description": product.description,
            "category": product.category,
            "variants": [{"sku": v.sku, "title": v.title, "price": _money(v.cents)} for v in product.variants],
        }
        answer = await self._edge.post("/api/v1/products", body, key=product.request_id)
        return str(answer["id"])

    async def set_stock(self, shelved: Shelved) -> None:
        """Say how many there are."""
        body = {"sku": shelved.sku, "warehouse": shelved.warehouse, "on_hand": shelved.on_hand}
        await self._edge.put(f"/api/v1/products/{shelved.product_id}/stock", body)


def _money(cents: int) -> dict[str, str | int]:
    return {"currency_code": CURRENCY, "units": str(cents // CENTS), "nanos": cents % CENTS * NANOS_OF_A_CENT}
