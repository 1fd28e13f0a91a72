"""Uploaded images of products: what is taken, and how they stand in a product. Rules without any I/O.

A browser uploads to the bucket itself, below `uploads/`, by a form that this service signs. What arrived is looked at before it
is shown: its size, and by its first bytes its type. Then it is copied below `images/`, where everybody may read it, and
nobody else writes.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.catalog import domain
from services.chassis import errors

# How many a product may have, uploads under way included.
MOST = 20
# So many bytes are enough to tell the type.
HEAD_BYTES = 16
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/avif": "avif"}


class ChangedError(Exception):
    """What was uploaded is not there any more, or not what was looked at."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An image that somebody is about to upload. actor is who asks; owner_id is whose the product must be (None: anybody's)."""

    product_id: str
    content_type: str
    owner_id: str | None
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Upload:
    """A place where an image may be uploaded, until it expires."""

    image_id: str
    product_id: str
    content_type: str
    expire_time: datetime

    @property
    def key(self) -> str:
        """Where the upload goes."""
        return f"uploads/{self.product_id}/{self.image_id}"

    @property
    def public_key(self) -> str:
        """Where it is shown once it is attached."""
        return f"images/{self.product_id}/{self.image_id}.{EXTENSIONS[self.content_type]}"


@dataclass(frozen=True, slots=True)
class Form:
    """What a browser sends to upload: these fields, then the file, to this URL."""

    upload: Upload
    url: str
    fields: Mapping[str, str]
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest image, in bytes, and how long a form for an upload is valid, in seconds."""

    most_bytes: int
    form_s: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies in the bucket: how many bytes, and a tag of exactly this content."""

    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Placement:
    """How an image shall stand in a product. position counts from 1, the main image; 0 is the last, or where it stands."""

    product_id: str
    image_id: str
    alt_text: str
    position: int
    owner_id: str | None


def content_type(head: bytes) -> str:
    """The type of an image by its first bytes; empty for anything that is not taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return "image/avif"
    return ""


def refusal(stored: Stored, head: bytes, upload: Upload, limits: Limits) -> errors.DomainError | None:
    """Why what was uploaded is not shown: IMAGE_SIZE_INVALID or IMAGE_TYPE_INVALID; None when it is what was announced."""
    if not 0 < stored.size <= limits.most_bytes:
        said = f"the image has {stored.size} bytes; it must have 1 to {limits.most_bytes}"
        counted = {"bytes": str(stored.size), "most_bytes": str(limits.most_bytes)}
        return errors.invalid("IMAGE_SIZE_INVALID", said, **counted)
    if content_type(head) != upload.content_type:
        said = f"the uploaded file is not an image of type {upload.content_type}"
        return errors.invalid("IMAGE_TYPE_INVALID", said, content_type=upload.content_type)
    return None


def check_room(product: domain.Product, awaited: int) -> None:
    """Raise IMAGE_LIMIT_REACHED when a product has no room for another image; awaited are its uploads under way."""
    if len(product.gallery) + awaited >= MOST:
        said = (
            f"the product has {MOST} images, uploads under way included: delete one first, or wait until uploads expire"
        )
        raise errors.precondition("IMAGE_LIMIT_REACHED", said, product_id=product.id)


def find(product: domain.Product, image_id: str) -> domain.Image | None:
    """An image that is attached to a product."""
    return next((image for image in product.gallery if image.id == image_id), None)


def placed(product: domain.Product, image: domain.Image, wanted: Placement, now: datetime) -> domain.Product:
    """The product with this image, new or another, as it shall stand; the product itself when nothing changes."""
    others = [other for other in product.gallery if other.id != image.id]
    stands = next((number for number, other in enumerate(product.gallery) if other.id == image.id), len(others))
    described = dataclasses.replace(image, alt_text=wanted.alt_text)
    others.insert(wanted.position - 1 if wanted.position else stands, described)
    return _with(product, tuple(others), now)


def without(product: domain.Product, image_id: str, now: datetime) -> domain.Product:
    """The product without this image; itself when it does not have it."""
    return _with(product, tuple(image for image in product.gallery if image.id != image_id), now)


def not_found(image_id: str) -> errors.DomainError:
    """There is no such image or upload, it expired, or it is another product's."""
    return errors.not_found("IMAGE_NOT_FOUND", "the image does not exist, or its upload expired", image_id=image_id)


def not_uploaded(image_id: str) -> errors.DomainError:
    """Nothing arrived in the bucket yet."""
    return errors.precondition("IMAGE_NOT_UPLOADED", "nothing was uploaded for this image yet", image_id=image_id)


def not_configured() -> errors.DomainError:
    """There is no bucket here."""
    return errors.precondition("IMAGES_NOT_CONFIGURED", "this shop has no storage for uploaded images")


def _with(product: domain.Product, gallery: tuple[domain.Image, ...], now: datetime) -> domain.Product:
    if gallery == product.gallery:
        return product
    return dataclasses.replace(product, gallery=gallery, update_time=now, version=product.version + 1)
