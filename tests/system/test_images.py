"""Images of products as callers of the edge see them: uploaded by a form, checked, shown, and gone when they are deleted.

The stack's bucket is moto's: it holds nobody to a form's type and size, so what is refused here the catalog refuses.
"""

import httpx
import pytest

from tests.support import pictures, shop
from tests.support.polling import eventually

MOST_BYTES = 5 * 1024 * 1024


async def test_an_image_is_uploaded_by_a_form_shown_in_its_product_and_read_by_everybody(market: shop.Shop) -> None:
    admin, stranger = await market.admin(), await market.stranger()
    tea = await market.product()
    form = await pictures.begun(admin, tea)
    assert form["most_bytes"] == str(MOST_BYTES)
    await pictures.sent(form, pictures.PNG)
    # It is nobody's business until it is attached.
    assert await pictures.shown(stranger, tea) == []
    put = await pictures.attached(admin, tea, form["image_id"], alt_text="A cup of tea")
    assert shop.taken(put)["gallery"][0]["id"] == form["image_id"]
    [image] = await pictures.shown(stranger, tea)
    assert (image["content_type"], image["alt_text"]) == ("image/png", "A cup of tea")
    async with httpx.AsyncClient(trust_env=False) as browser:
        seen = await browser.get(image["url"])
    assert (seen.content, seen.headers["content-type"]) == (pictures.PNG, "image/png")
    assert "immutable" in seen.headers["cache-control"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html><script>alert(1)</script></html>", "IMAGE_TYPE_INVALID"),
        (pictures.PNG + b"\0" * MOST_BYTES, "IMAGE_SIZE_INVALID"),
    ],
)
async def test_a_file_of_another_type_or_too_large_is_refused_and_never_shown(
    market: shop.Shop, content: bytes, reason: str
) -> None:
    admin, tea = await market.admin(), await market.product()
    image_id = await pictures.uploaded(admin, tea, content)
    refused = await pictures.attached(admin, tea, image_id)
    assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, reason)
    assert await pictures.shown(admin, tea) == []
    again = await pictures.attached(admin, tea, image_id)
    assert (again.status_code, again.json()["details"][0]["reason"]) == (404, "IMAGE_NOT_FOUND")


async def test_a_type_that_is_not_taken_gets_no_form(market: shop.Shop) -> None:
    admin, tea = await market.admin(), await market.product()
    refused = await admin.post(f"/api/v1/products/{tea.id}/images", {"content_type": "image/svg+xml"})
    assert refused.status_code == 400


async def test_an_image_that_is_replaced_is_gone_from_the_product_and_from_the_bucket(market: shop.Shop) -> None:
    admin, tea = await market.admin(), await market.product()
    for image_id in [await pictures.uploaded(admin, tea) for _ in range(2)]:
        shop.taken(await pictures.attached(admin, tea, image_id, position=1))
    new, old = await pictures.shown(admin, tea)
    shop.taken(await admin.http.delete(f"/api/v1/products/{tea.id}/images/{old['id']}"))
    assert [image["id"] for image in await pictures.shown(admin, tea)] == [new["id"]]

    async def is_gone() -> bool:
        return await pictures.status(old["url"]) in (403, 404)

    await eventually(is_gone)
    assert await pictures.status(new["url"]) == 200


async def test_images_are_the_vendors_whose_product_it_is(market: shop.Shop) -> None:
    stranger, vendor, tea = await market.stranger(), await market.vendor(), await market.product()
    path, body = f"/api/v1/products/{tea.id}/images", {"content_type": "image/png"}
    assert (await stranger.post(path, body)).status_code == 401
    assert (await vendor.post(path, body)).status_code == 404
