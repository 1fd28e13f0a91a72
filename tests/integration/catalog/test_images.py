"""Images are uploaded to a bucket by signed forms, looked at, attached and deleted: over gRPC, PostgreSQL and moto's S3."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from services.catalog import rpc, usecases
from services.catalog.clients import object_store
from services.chassis import clock, database, errors
from services.chassis.rpc import page_tokens
from souk.catalog.v1 import catalog_service_pb2_grpc, image_pb2
from tests.integration.catalog import gallery as galleries
from tests.integration.catalog import mortal as process
from tests.integration.catalog.gallery import JPEG, MOST_BYTES, PNG, SHOWN, Gallery
from tests.integration.catalog.served import NOBODYS, Served, use_cases
from tests.support import amazon, calls, mortal

EXPIRE = database.Statement("UPDATE image_uploads SET due_time = clock_timestamp() WHERE state = 'AWAITED'")
KEPT = database.Statement("SELECT count(*) FROM image_uploads")
TOLD = database.Statement("SELECT count(*) FROM outbox WHERE key = %(key)s")
EARLIER = database.Statement("TRUNCATE image_uploads")


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with amazon.served() as url:
        yield url


@pytest.fixture(autouse=True)
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for S3, so that nobody looks for any elsewhere."""
    for name, value in amazon.CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest_asyncio.fixture
async def gallery(
    db: database.Database, catalog: usecases.Catalog, category: str, s3_url: str
) -> AsyncIterator[Gallery]:
    """A running catalog with a bucket of its own."""
    await db.read(EARLIER)
    name = galleries.new_bucket(s3_url)
    bucket = object_store.Bucket(galleries.settings(s3_url, name))
    await bucket.start()
    use = use_cases(db, catalog, bucket)
    async with calls.served(rpc.servicer(use, page_tokens.PageTokens(db)), "catalog") as shop:
        served = Served(catalog_service_pb2_grpc.CatalogServiceStub(shop.channel), shop, category)
        yield Gallery(served, use.images, name, s3_url)
    await bucket.stop()


async def test_an_upload_is_looked_at_and_shown_where_everybody_can_read_it(
    gallery: Gallery, db: database.Database
) -> None:
    product = await gallery.product()
    image_id = await gallery.uploaded(product)
    changed = await gallery.put(product, image_id, alt_text="A cup of tea")
    [image] = changed.gallery
    assert (image.id, image.content_type, image.size_bytes, image.alt_text) == (
        image_id,
        "image/png",
        len(PNG),
        "A cup of tea",
    )
    key = f"images/{product.id}/{image_id}.png"
    assert image.url == f"{SHOWN}/{key}"
    stored = galleries.client(gallery.url).get_object(Bucket=gallery.name, Key=key)
    assert (stored["Body"].read(), stored["ContentType"]) == (PNG, "image/png")
    assert "immutable" in stored["CacheControl"]
    assert (changed.version, await gallery.read(product)) == (2, changed)
    assert await db.read(TOLD, {"key": product.id}) == [(2,)]
    # The upload's own copy is needed no more.
    assert await gallery.images.clear() == 1
    assert gallery.keys() == {f"images/{image_id}.png"}
    assert await db.read(KEPT) == [(0,)]


@pytest.mark.parametrize(
    ("content", "announced", "reason"),
    [
        (PNG + b"\0" * MOST_BYTES, "image/png", "IMAGE_SIZE_INVALID"),
        (b"", "image/png", "IMAGE_SIZE_INVALID"),
        (JPEG, "image/png", "IMAGE_TYPE_INVALID"),
        (b"<html><script>alert(1)</script>", "image/png", "IMAGE_TYPE_INVALID"),
        (b"\x89PN", "image/png", "IMAGE_TYPE_INVALID"),
    ],
)
async def test_what_is_no_such_image_is_refused_and_deleted(
    gallery: Gallery, content: bytes, announced: str, reason: str
) -> None:
    product = await gallery.product()
    image_id = await gallery.uploaded(product, content, announced)
    refused = await calls.refused(gallery.put(product, image_id))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, reason)
    assert await gallery.images.clear() == 1
    assert gallery.keys() == set()
    assert await gallery.read(product) == product
    assert (await calls.refused(gallery.put(product, image_id))).reason == "IMAGE_NOT_FOUND"


async def test_the_form_binds_type_size_and_place(gallery: Gallery) -> None:
    product = await gallery.product()
    form = await gallery.form(product)
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert {"Content-Type": "image/png"} in policy["conditions"]
    assert ["content-length-range", 1, MOST_BYTES] in policy["conditions"]
    assert {"key": f"uploads/{product.id}/{form.image_id}"} in policy["conditions"]
    assert {"bucket": gallery.name} in policy["conditions"]
    assert (form.most_bytes, form.fields["Content-Type"]) == (MOST_BYTES, "image/png")
    assert abs(form.expire_time.seconds - clock.utc_now().timestamp() - 600) < 60


async def test_an_image_that_did_not_arrive_yet_can_be_attached_when_it_has(gallery: Gallery) -> None:
    product = await gallery.product()
    form = await gallery.form(product)
    refused = await calls.refused(gallery.put(product, form.image_id))
    assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "IMAGE_NOT_UPLOADED")
    await galleries.send(form, PNG)
    assert len((await gallery.put(product, form.image_id)).gallery) == 1


async def test_images_stand_in_order_and_the_first_is_the_main_one(gallery: Gallery) -> None:
    product = await gallery.product()
    first, second, third = [await gallery.uploaded(product) for _ in range(3)]
    await gallery.put(product, first)
    await gallery.put(product, second)
    changed = await gallery.put(product, third, position=1)
    assert [image.id for image in changed.gallery] == [third, first, second]
    changed = await gallery.put(product, second, position=1, alt_text="Now the main one")
    assert [image.id for image in changed.gallery] == [second, third, first]
    assert changed.gallery[0].alt_text == "Now the main one"
    again = await gallery.put(product, second, position=1, alt_text="Now the main one")
    assert again.version == changed.version
    assert (await gallery.put(product, third, alt_text="Third")).gallery[1].id == third


async def test_an_update_of_the_product_leaves_its_gallery_as_it_is(gallery: Gallery) -> None:
    product = await gallery.product()
    changed = await gallery.put(product, await gallery.uploaded(product))
    renamed = await gallery.renamed(changed)
    assert (renamed.version, renamed.gallery) == (3, changed.gallery)


async def test_a_deleted_image_goes_from_the_product_and_from_the_bucket(
    gallery: Gallery, db: database.Database
) -> None:
    product = await gallery.product()
    kept, gone = await gallery.uploaded(product), await gallery.uploaded(product)
    for image_id in (kept, gone):
        await gallery.put(product, image_id)
    changed = await gallery.delete(product, gone)
    assert [image.id for image in changed.gallery] == [kept]
    assert (await gallery.delete(product, gone)).version == changed.version
    while await gallery.images.clear():
        pass
    assert gallery.keys() == {f"images/{kept}.png"}
    assert await db.read(KEPT) == [(0,)]


async def test_an_upload_that_nobody_attached_is_deleted_when_it_expired(
    gallery: Gallery, db: database.Database
) -> None:
    product = await gallery.product()
    image_id = await gallery.uploaded(product)
    assert await gallery.images.clear() == 0
    await db.read(EXPIRE)
    assert (await calls.refused(gallery.put(product, image_id))).reason == "IMAGE_NOT_FOUND"
    assert await gallery.images.clear() == 1
    assert gallery.keys() == set()


async def test_a_repeated_request_gets_a_form_for_the_same_upload(gallery: Gallery) -> None:
    product = await gallery.product()
    form = await gallery.form(product, request_id="once")
    assert (await gallery.form(product, request_id="once")).image_id == form.image_id
    request = image_pb2.CreateImageUploadRequest(id=product.id, content_type="image/jpeg", request_id="once")
    call = gallery.served.stub.CreateImageUpload(request, metadata=gallery.served.ann)
    assert (await calls.refused(call)).reason == "REQUEST_ID_REUSED"


async def test_racing_uploads_never_exceed_the_limit(gallery: Gallery) -> None:
    product = await gallery.product()
    outcomes = await asyncio.gather(*(gallery.form(product) for _ in range(24)), return_exceptions=True)
    forms = [form for form in outcomes if isinstance(form, image_pb2.ImageUpload)]
    assert len(forms) == 20
    refused = await calls.refused(gallery.call_form(product))
    assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "IMAGE_LIMIT_REACHED")


async def test_an_image_that_is_attached_by_racing_calls_is_there_once(gallery: Gallery) -> None:
    product = await gallery.product()
    image_id = await gallery.uploaded(product)
    await asyncio.gather(*(gallery.put(product, image_id, alt_text="Tea") for _ in range(5)))
    shown = await gallery.read(product)
    assert (shown.version, [image.id for image in shown.gallery]) == (2, [image_id])
    await gallery.images.clear()
    assert gallery.keys() == {f"images/{image_id}.png"}


async def test_images_are_the_owners_and_the_shops(gallery: Gallery) -> None:
    product, other = await gallery.product(), await gallery.product()
    image_id = await gallery.uploaded(product)
    for call in (
        gallery.put(product, image_id, gallery.served.bob),
        gallery.delete(product, image_id, gallery.served.bob),
        gallery.call_form(product, gallery.served.bob),
    ):
        assert (await calls.refused(call)).reason == "PRODUCT_NOT_FOUND"
    assert (await calls.refused(gallery.put(product, image_id, gallery.served.customer))).reason == "ACCESS_DENIED"
    assert (await calls.refused(gallery.put(other, image_id))).reason == "IMAGE_NOT_FOUND"
    assert (await calls.refused(gallery.put(product, NOBODYS))).reason == "IMAGE_NOT_FOUND"
    assert len((await gallery.put(product, image_id, gallery.served.admin)).gallery) == 1


@pytest.mark.parametrize(("at", "attached"), [(mortal.WRITTEN, False), (mortal.COMMITTED, True)])
async def test_an_image_whose_process_died_is_attached_by_the_repeated_request(
    gallery: Gallery, db: database.Database, *, database_url: str, own_redis_url: str, at: str, attached: bool
) -> None:
    product = await gallery.product()
    image_id = await gallery.uploaded(product)
    names = {"S3_URL": gallery.url, "BUCKET": gallery.name, "PRODUCT": product.id, "IMAGE": image_id}
    mortal.dies(process.__name__, database_url, at=at, REDIS_URL=own_redis_url, DOES="attach", **names)
    assert gallery.keys() == {f"uploads/{image_id}", f"images/{image_id}.png"}
    assert await db.read(TOLD, {"key": product.id}) == [(1 + attached,)]
    changed = await gallery.put(product, image_id)
    assert (changed.version, [image.id for image in changed.gallery]) == (2, [image_id])
    await gallery.images.clear()
    assert gallery.keys() == {f"images/{image_id}.png"}


async def test_both_copies_go_when_nobody_repeats_the_request_of_a_process_that_died(
    gallery: Gallery, db: database.Database, database_url: str, own_redis_url: str
) -> None:
    product = await gallery.product()
    image_id = await gallery.uploaded(product)
    names = {"S3_URL": gallery.url, "BUCKET": gallery.name, "PRODUCT": product.id, "IMAGE": image_id}
    mortal.dies(process.__name__, database_url, at=mortal.WRITTEN, REDIS_URL=own_redis_url, DOES="attach", **names)
    await db.read(EXPIRE)
    await gallery.images.clear()
    assert gallery.keys() == set()


async def test_without_an_answer_of_s3_nothing_changes_and_it_can_be_repeated(
    gallery: Gallery, db: database.Database, catalog: usecases.Catalog
) -> None:
    product = await gallery.product()
    image_id = await gallery.uploaded(product)
    away = object_store.Bucket(galleries.settings("http://127.0.0.1:1", gallery.name))
    await away.start()
    use = use_cases(db, catalog, away)
    with pytest.raises(errors.TransientError):
        await use.images.put(galleries.placement(product.id, image_id))
    await db.read(EXPIRE)
    with pytest.raises(errors.TransientError):
        await use.images.clear()
    await away.stop()
    assert await gallery.read(product) == product


async def test_a_shop_without_a_bucket_says_so(db: database.Database, catalog: usecases.Catalog, category: str) -> None:
    servicer = rpc.servicer(use_cases(db, catalog), page_tokens.PageTokens(db))
    async with calls.served(servicer, "catalog") as shop:
        served = Served(catalog_service_pb2_grpc.CatalogServiceStub(shop.channel), shop, category)
        bare = Gallery(served, use_cases(db, catalog).images, "", "")
        product = await bare.product()
        for call in (bare.call_form(product), bare.put(product, NOBODYS), bare.delete(product, NOBODYS)):
            refused = await calls.refused(call)
            assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "IMAGES_NOT_CONFIGURED")
