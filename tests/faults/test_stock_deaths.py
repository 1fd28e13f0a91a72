"""`kill -9` of inventory before and behind the commit of what people do with stock: it is done once, and the history agrees.

Whoever had no answer repeats the call by its key; what only sets a state may be repeated without one.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.faults import mortals
from tests.faults.deaths import COMMIT, Death, deaths
from tests.faults.trickle import insist
from tests.support import shop

STOCK = 10
# All of it is one transaction, which tells of the levels that it changed.
MOVED = deaths("inventory", "call", "StockLevelChanged", *COMMIT)


@pytest.fixture(scope="module")
def mortal(environment: Mapping[str, str]) -> Iterator[mortals.Mortals]:
    """Inventory, which can be trapped."""
    del environment  # it is up
    with mortals.of_the_stack(("inventory",)) as mortal:
        yield mortal


@dataclass(frozen=True, slots=True)
class Scene:
    """An administrator, tea in the east, and an inventory that may die."""

    mortal: mortals.Mortals
    admin: shop.Person
    tea: shop.Product

    async def through(self, death: Death, verb: str, path: str, body: shop.Json) -> shop.Json:
        """Call, let inventory die there, and call again until it is heard."""
        key = shop.new_key()
        headers = {"Idempotency-Key": key} if verb == "POST" else {}
        self.mortal.trap(death.service, death.trap)
        asked = f"/api/v1/inventory/{path}"
        calling = asyncio.create_task(insist(lambda: self.admin.http.request(verb, asked, json=body, headers=headers)))
        await self.mortal.dies(death.service)
        await self.mortal.revive(death.service)
        return await calling

    async def post(self, path: str, body: shop.Json) -> shop.Json:
        """A call that nobody dies in."""
        return shop.taken(await self.admin.post(f"/api/v1/inventory/{path}", body, key=shop.new_key()))

    async def lies(self, **expected: int) -> None:
        """So many lie in each warehouse, and the history says the same."""
        found = await insist(lambda: self.admin.http.get(f"/api/v1/inventory/{self.tea.sku}"))
        assert {level["warehouse"]: int(level["on_hand"]) for level in found["levels"]} == expected
        assert (await self.post(f"{self.tea.sku}/audit", {}))["agreed"]

    @property
    def lines(self) -> list[shop.Json]:
        """Four of the tea."""
        return [{"sku": self.tea.sku, "quantity": 4}]

    async def transfer(self) -> str:
        """Four of the tea on their way to the west."""
        return str((await self.post("transfers", self.way))["id"])

    @property
    def way(self) -> shop.Json:
        """What is sent to the west."""
        return {"from_warehouse": "east", "to_warehouse": "west", "lines": self.lines}


@pytest_asyncio.fixture
async def scene(mortal: mortals.Mortals, market: shop.Shop) -> Scene:
    """Everything is well, and nothing was moved yet."""
    return Scene(mortal, await market.admin(), await market.product(stock=STOCK))


@pytest.mark.parametrize("death", MOVED, ids=str)
async def test_goods_are_sent_once_through_a_death(scene: Scene, death: Death) -> None:
    await scene.through(death, "POST", "transfers", scene.way)
    await scene.lies(east=6)


@pytest.mark.parametrize("death", MOVED, ids=str)
async def test_a_transfer_arrives_once_through_a_death(scene: Scene, death: Death) -> None:
    transfer = await scene.transfer()
    await scene.through(death, "POST", f"transfers/{transfer}/receive", {"lines": [scene.lines[0] | {"quantity": 1}]})
    await scene.lies(east=6, west=1)


@pytest.mark.parametrize("death", MOVED, ids=str)
async def test_a_transfer_comes_back_once_through_a_death(scene: Scene, death: Death) -> None:
    transfer = await scene.transfer()
    await scene.through(death, "PUT", f"transfers/{transfer}/end", {"returned": True})
    await scene.lies(east=10)


@pytest.mark.parametrize("death", MOVED, ids=str)
async def test_ordered_goods_arrive_once_through_a_death(scene: Scene, death: Death) -> None:
    asked = {"supplier": "Potters", "warehouse": "west", "lines": scene.lines}
    order = await scene.post("restocks", asked)
    await scene.through(death, "POST", f"restocks/{order['id']}/receive", {})
    await scene.lies(east=10, west=4)


@pytest.mark.parametrize("death", MOVED, ids=str)
async def test_a_count_corrects_the_stock_once_through_a_death(scene: Scene, death: Death) -> None:
    counted = {"warehouse": "east", "lines": [{"sku": scene.tea.sku, "counted": 8}]}
    count = await scene.through(death, "POST", "counts", counted)
    assert [int(line["difference"]) for line in count["lines"]] == [-2]
    await scene.lies(east=8)
