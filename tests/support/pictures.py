"""Pictures for products, and what a browser does with the form of an upload."""

import httpx

from tests.support import shop

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


async def begun(person: shop.Person, product: shop.Product, content_type: str = "image/png") -> shop.Json:
    """A form for an upload."""
    return shop.taken(await person.post(f"/api/v1/products/{product.id}/images", {"content_type": content_type}))


async def sent(form: shop.Json, content: bytes) -> None:
    """The form with a file, sent to the bucket itself: without any token."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as browser:
        answer = await browser.post(form["url"], data=form["fields"], files={"file": ("a picture", content)})
    assert answer.status_code == 204, answer.text


async def uploaded(person: shop.Person, product: shop.Product, content: bytes = PNG) -> str:
    """An upload that arrived and is not attached yet: the image's id."""
    form = await begun(person, product)
    await sent(form, content)
    return str(form["image_id"])


async def attached(person: shop.Person, product: shop.Product, image_id: str, **others: object) -> httpx.Response:
    """The answer to the call that shows an upload in its product."""
    return await person.http.put(f"/api/v1/products/{product.id}/images/{image_id}", json=others)


async def shown(person: shop.Person, product: shop.Product) -> list[shop.Json]:
    """The product's images, as everybody sees them."""
    return list(shop.taken(await person.http.get(f"/api/v1/products/{product.id}")).get("gallery", []))


async def status(url: str) -> int:
    """What the storage answers to whoever has an image's address."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as browser:
        return (await browser.get(url)).status_code
