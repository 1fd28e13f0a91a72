"""What can be done with uploaded images.

If the process dies on the next line:

- after an upload was promised and before the caller knew: nobody uploads, and the row is deleted when it expired. The
  repeated request gets a form for the same upload;
- after the file was uploaded: it lies below `uploads/` until it is attached, or expires and is deleted;
- after it was copied below `images/` and before the product has it: the repeated request copies and attaches it; without
  one both copies are deleted when the upload expires;
- after the product has it: the upload's own copy is deleted by a row that the same transaction wrote;
- after the product no longer has it: the same, for both copies.

So what lies in the bucket is in a product's gallery or has a row here. A bucket should have a rule that deletes what is older
than a day below `uploads/`, should rows be lost.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from services.catalog import domain, store, usecases
from services.catalog.domain import images
from services.catalog.store import images as image_store
from services.chassis import clock, database, idempotency, ids

# An upload that began before its form expired may take so long, in seconds.
GRACE_S = 300.0
# So long nobody deletes what is being attached: longer than any call takes.
HOLD_S = 120.0
# How many images' objects are deleted at once, and after what time another process tries those that this one claimed.
MOST_DELETED = 100
LEASE_S = 60.0


class Bucket(Protocol):
    """Where images are kept. Every call raises TransientError without an answer."""

    @property
    def limits(self) -> images.Limits:
        """What may be uploaded, and how long."""

    async def form(self, upload: images.Upload, seconds: int) -> images.Form:
        """A form that uploads one file of this type and of a size that is allowed, for so many seconds."""

    async def look(self, key: str) -> tuple[images.Stored, bytes] | None:
        """What lies there, and its first bytes; None when nothing does. Raises images.ChangedError."""

    async def publish(self, upload: images.Upload, stored: images.Stored) -> str:
        """Copy exactly what was looked at to where it is shown: its URL. Raises images.ChangedError."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete these objects; those that are not there are deleted."""


class Images:
    """The use cases of uploaded images. bucket is None where there is none: then every call raises IMAGES_NOT_CONFIGURED."""

    def __init__(
        self, db: database.Database, catalog: usecases.Catalog, *, bucket: Bucket | None, now: clock.Clock
    ) -> None:
        self._db = db
        self._catalog = catalog
        self._given_bucket = bucket
        self._now = now

    async def begin(self, wish: images.Wish) -> images.Form:
        """A form for an upload; a repeated request gets one for the same.

        Raises IMAGES_NOT_CONFIGURED, PRODUCT_NOT_FOUND also when it is not this owner's, IMAGE_LIMIT_REACHED,
        REQUEST_ID_REUSED, IMAGE_NOT_FOUND when the request's upload was attached or expired, or TransientError.
        """
        bucket, now = self._bucket, self._now()
        expires = now + timedelta(seconds=bucket.limits.form_s)
        upload = images.Upload(ids.new_id(now), wish.product_id, wish.content_type, expires)
        async with self._db.transaction() as transaction:
            product = await usecases.held(transaction, wish.product_id, wish.owner_id)
            claim = idempotency.Claim(wish.actor, wish.request_id, wish.fingerprint, upload.image_id)
            made = await idempotency.claim_one(transaction, claim)
            if made == upload.image_id:
                images.check_room(product, await image_store.awaited(transaction, product.id))
                await image_store.insert(transaction, upload, wish.actor, grace_s=GRACE_S)
            else:
                upload = await _expected(transaction, made, product.id)
        return await bucket.form(upload, max(1, round((upload.expire_time - now).total_seconds())))

    async def put(self, wanted: images.Placement) -> domain.Product:
        """Attach an upload that is an image, or change one that is attached: the product as it is then.

        What is refused is deleted soon. Raises IMAGES_NOT_CONFIGURED, PRODUCT_NOT_FOUND also when it is not this owner's,
        IMAGE_NOT_FOUND, IMAGE_NOT_UPLOADED, IMAGE_SIZE_INVALID, IMAGE_TYPE_INVALID or TransientError.
        """
        bucket = self._bucket
        async with self._db.transaction() as transaction:
            product = await usecases.held(transaction, wanted.product_id, wanted.owner_id)
            attached = images.find(product, wanted.image_id)
            changed = await self._save(transaction, product, attached, wanted) if attached else product
        if attached:
            return await self._told(product, changed)
        upload = await image_store.hold(self._db, wanted.image_id, wanted.product_id, HOLD_S)
        if upload is None:
            raise images.not_found(wanted.image_id)
        return await self._attach(upload, await self._checked(bucket, upload), wanted)

    async def delete(self, product_id: str, image_id: str, owner_id: str | None) -> domain.Product:
        """Take an image out of its product, and have it deleted; one that is not there stays so.

        Raises IMAGES_NOT_CONFIGURED, or PRODUCT_NOT_FOUND also when it is not this owner's.
        """
        _ = self._bucket
        async with self._db.transaction() as transaction:
            product = await usecases.held(transaction, product_id, owner_id)
            image = images.find(product, image_id)
            if image is None:
                return product
            changed = images.without(product, image_id, self._now())
            await store.write_product(transaction, changed)
            await image_store.remove(transaction, image_id, product_id, image.content_type)
            transaction.emit([domain.ProductChanged(changed)])
        return await self._told(product, changed)

    async def clear(self) -> int:
        """Delete objects that nobody needs any more: of how many images. Raises TransientError, and they are due again."""
        rubbish = await image_store.claim_rubbish(self._db, MOST_DELETED, lease_s=LEASE_S)
        if rubbish:
            await self._bucket.delete([key for item in rubbish for key in item.keys])
            await image_store.forget(self._db, rubbish)
        return len(rubbish)

    @property
    def _bucket(self) -> Bucket:
        if self._given_bucket is None:
            raise images.not_configured()
        return self._given_bucket

    async def _checked(self, bucket: Bucket, upload: images.Upload) -> domain.Image:
        """The image that was uploaded, where everybody can read it but nobody knows of it. Raises what `put` does."""
        try:
            found = await bucket.look(upload.key)
            if found is None:
                raise images.not_uploaded(upload.image_id)
            stored, head = found
            if refused := images.refusal(stored, head, upload, bucket.limits):
                await image_store.discard(self._db, upload.image_id)
                raise refused
            url = await bucket.publish(upload, stored)
        except images.ChangedError as error:
            raise images.not_uploaded(upload.image_id) from error
        return domain.Image(upload.image_id, url, upload.content_type, stored.size, "")

    async def _attach(self, upload: images.Upload, image: domain.Image, wanted: images.Placement) -> domain.Product:
        async with self._db.transaction() as transaction:
            product = await usecases.held(transaction, wanted.product_id, wanted.owner_id)
            # Another call for the same image may have been here meanwhile.
            if images.find(product, image.id) is None and not await image_store.attach(transaction, upload.image_id):
                raise images.not_found(image.id)
            changed = await self._save(transaction, product, image, wanted)
        return await self._told(product, changed)

    async def _save(
        self, transaction: database.Transaction, product: domain.Product, image: domain.Image, wanted: images.Placement
    ) -> domain.Product:
        changed = images.placed(product, image, wanted, self._now())
        if changed != product:
            await store.write_product(transaction, changed)
            transaction.emit([domain.ProductChanged(changed)])
        return changed

    async def _told(self, before: domain.Product, after: domain.Product) -> domain.Product:
        if after != before:
            await self._catalog.forget_changed([after.id])
        return after


async def _expected(transaction: database.Transaction, image_id: str, product_id: str) -> images.Upload:
    """An upload that is under way. Raises IMAGE_NOT_FOUND."""
    upload = await image_store.find(transaction, image_id, product_id)
    if upload is None:
        raise images.not_found(image_id)
    return upload
