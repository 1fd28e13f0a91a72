"""The catalog dies between an upload and the call that shows it: nothing is shown, and nothing is lost."""

import asyncio

from scripts.stack import control
from scripts.stack.servers import mesh
from tests.faults import conftest
from tests.support import pictures, shop


async def test_an_upload_outlives_the_catalog_and_is_shown_only_when_somebody_says_so(
    market: shop.Shop, stacked: control.Stacked
) -> None:
    admin, tea = await market.admin(), await market.product()
    image_id = await pictures.uploaded(admin, tea)
    # The process of its own, or the one of all services.
    victim = next(name for name in conftest.processes() if name in ("catalog", mesh.TOGETHER))
    await asyncio.to_thread(stacked.kill, victim)
    await asyncio.to_thread(stacked.start, victim)
    assert await pictures.shown(admin, tea) == []
    shop.taken(await pictures.attached(admin, tea, image_id))
    [image] = await pictures.shown(admin, tea)
    assert (image["id"], await pictures.status(image["url"])) == (image_id, 200)
