"""The rows of uploads, and of what must go from the bucket.

A row is AWAITED until its upload is attached or expires; ATTACHED until the upload's own copy is deleted; REMOVED until
everything of it is. due_time is when its objects may be deleted, by the database's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from services.catalog import store
from services.catalog.domain import images
from services.chassis import database
from services.chassis.schema import ID, TIME

AWAITED, ATTACHED, REMOVED = "AWAITED", "ATTACHED", "REMOVED"

IMAGE_UPLOADS = Table(
    "image_uploads",
    store.METADATA,
    Column("id", ID, primary_key=True),
    Column("product_id", ID, ForeignKey("products.id"), nullable=False),
    Column("content_type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Column("due_time", TIME, nullable=False),
    Index("ix_image_uploads_product", "product_id"),
    Index("ix_image_uploads_due", "due_time"),
)

_COUNT = database.Statement("""
SELECT count(*) FROM image_uploads
WHERE product_id = %(product_id)s::uuid AND state = 'AWAITED' AND due_time > clock_timestamp()
""")
_INSERT = database.Statement("""
INSERT INTO image_uploads (id, product_id, content_type, actor, state, expire_time, due_time)
VALUES (%(id)s::uuid, %(product_id)s::uuid, %(content_type)s, %(actor)s, 'AWAITED', %(expires)s,
  %(expires)s + %(grace)s * interval '1 s')
""")
_FIND = database.Statement("""
SELECT content_type, expire_time FROM image_uploads
WHERE id = %(id)s::uuid AND product_id = %(product_id)s::uuid AND state = 'AWAITED' AND due_time > clock_timestamp()
""")
# Nobody deletes the objects while they are looked at.
_HOLD = database.Statement("""
UPDATE image_uploads SET due_time = greatest(due_time, clock_timestamp() + %(seconds)s * interval '1 s')
WHERE id = %(id)s::uuid AND product_id = %(product_id)s::uuid AND state = 'AWAITED' AND due_time > clock_timestamp()
RETURNING content_type, expire_time
""")
_ATTACH = database.Statement("""
UPDATE image_uploads SET state = 'ATTACHED', due_time = clock_timestamp()
WHERE id = %(id)s::uuid AND state = 'AWAITED' RETURNING id
""")
_REMOVE = database.Statement("""
INSERT INTO image_uploads (id, product_id, content_type, actor, state, expire_time, due_time)
VALUES (%(id)s::uuid, %(product_id)s::uuid, %(content_type)s, '', 'REMOVED', clock_timestamp(), clock_timestamp())
ON CONFLICT (id) DO UPDATE SET state = 'REMOVED', due_time = clock_timestamp()
""")
_DISCARD = database.Statement("""
UPDATE image_uploads SET state = 'REMOVED', due_time = clock_timestamp() WHERE id = %(id)s::uuid AND state = 'AWAITED'
""")
# What is not deleted for an outage is due again later.
_CLAIM = database.Statement("""
UPDATE image_uploads AS u
SET state = CASE u.state WHEN 'AWAITED' THEN 'REMOVED' ELSE u.state END,
  due_time = clock_timestamp() + %(seconds)s * interval '1 s'
WHERE u.id IN (
  SELECT id FROM image_uploads WHERE due_time <= clock_timestamp() ORDER BY due_time LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
RETURNING u.id, u.product_id, u.content_type, u.expire_time, u.state
""")
_FORGET = database.Statement("""
DELETE FROM image_uploads AS u USING unnest(%(ids)s::uuid[], %(states)s::text[]) AS g(id, state)
WHERE u.id = g.id AND u.state = g.state
""")


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Objects to delete: those of an upload, and its public copy too unless that is in use."""

    upload: images.Upload
    state: str

    @property
    def keys(self) -> list[str]:
        """Where they lie."""
        return [self.upload.key] if self.state == ATTACHED else [self.upload.key, self.upload.public_key]


async def awaited(transaction: database.Transaction, product_id: str) -> int:
    """How many uploads of a product are under way."""
    [(count,)] = await transaction.run(_COUNT, {"product_id": product_id})
    return int(count)


async def insert(transaction: database.Transaction, upload: images.Upload, actor: str, *, grace_s: float) -> None:
    """Expect an upload. Its objects are deleted so many seconds after it expired."""
    row = {"id": upload.image_id, "product_id": upload.product_id, "content_type": upload.content_type}
    await transaction.run(_INSERT, row | {"actor": actor, "expires": upload.expire_time, "grace": grace_s})


async def find(transaction: database.Transaction, image_id: str, product_id: str) -> images.Upload | None:
    """An upload of this product that is under way."""
    return _upload(image_id, product_id, await transaction.run(_FIND, {"id": image_id, "product_id": product_id}))


async def hold(db: database.Database, image_id: str, product_id: str, seconds: float) -> images.Upload | None:
    """An upload of this product that is under way, and stays so for at least this long."""
    values = {"id": image_id, "product_id": product_id, "seconds": seconds}
    return _upload(image_id, product_id, await db.read(_HOLD, values))


async def attach(transaction: database.Transaction, image_id: str) -> bool:
    """The upload became an image. False when it is not under way any more."""
    return bool(await transaction.run(_ATTACH, {"id": image_id}))


async def discard(db: database.Database, image_id: str) -> None:
    """Have everything of an upload deleted, unless it was attached meanwhile."""
    await db.read(_DISCARD, {"id": image_id})


async def remove(transaction: database.Transaction, image_id: str, product_id: str, content_type: str) -> None:
    """Have everything of an image deleted."""
    row = {"id": image_id, "product_id": product_id, "content_type": content_type}
    await transaction.run(_REMOVE, row)


async def claim_rubbish(db: database.Database, most: int, *, lease_s: float) -> list[Rubbish]:
    """Objects to delete that nobody else deletes for so many seconds."""
    rows = await db.read(_CLAIM, {"most": most, "seconds": lease_s})
    return [Rubbish(images.Upload(*upload), state) for *upload, state in rows]


async def forget(db: database.Database, deleted: Sequence[Rubbish]) -> None:
    """Their objects are gone. What was removed meanwhile stays, and is claimed again."""
    values = {"ids": [item.upload.image_id for item in deleted], "states": [item.state for item in deleted]}
    await db.read(_FORGET, values)


def _upload(image_id: str, product_id: str, rows: list[database.Row]) -> images.Upload | None:
    return images.Upload(image_id, product_id, *rows[0]) if rows else None
