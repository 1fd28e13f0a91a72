"""A catalog whose images lie in moto's bucket, and what a browser does with a form."""

import uuid
from dataclasses import dataclass
from typing import Any

import boto3
import httpx

from services.catalog.domain import images
from services.catalog.settings import Settings
from services.catalog.usecases import images as image_usecases
from souk.catalog.v1 import catalog_service_pb2, image_pb2, product_pb2
from tests.integration.catalog.served import Metadata, Served
from tests.support import amazon

SHOWN = "https://images.example.com"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 100
MOST_BYTES = 10_000


def settings(url: str, bucket: str) -> Settings:
    """Settings of a catalog with this bucket at this S3."""
    return Settings(
        images_bucket=bucket,
        images_url=SHOWN,
        images_most_bytes=MOST_BYTES,
        aws_region=amazon.REGION,
        s3_endpoint_url=url,
        s3_timeout_s=2.0,
    )


def client(url: str) -> Any:
    """S3 as an administrator sees it."""
    session = boto3.session.Session("testing", "testing", region_name=amazon.REGION)
    return session.client("s3", endpoint_url=url)


def new_bucket(url: str) -> str:
    """A bucket of a test's own."""
    name = f"images-{uuid.uuid4()}"
    client(url).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": amazon.REGION})
    return name


@dataclass(frozen=True)
class Gallery:
    """A running catalog with a bucket."""

    served: Served
    images: image_usecases.Images
    name: str
    url: str

    def keys(self) -> set[str]:
        """What lies in the bucket, by the first part of its key and by the last."""
        found = client(self.url).list_objects_v2(Bucket=self.name).get("Contents", [])
        return {"{0}/{2}".format(*item["Key"].split("/")) for item in found}

    async def product(self) -> product_pb2.Product:
        """A new product of Ann's."""
        return await self.served.stub.CreateProduct(self.served.product(), metadata=self.served.ann)

    async def read(self, product: product_pb2.Product) -> product_pb2.Product:
        """The product as everybody sees it."""
        return await self.served.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=product.id))

    async def renamed(self, product: product_pb2.Product) -> product_pb2.Product:
        """The product under another title."""
        kept = {name: getattr(product, name) for name in ("id", "version", "category", "variants")}
        request = catalog_service_pb2.UpdateProductRequest(title="Coffee", **kept)
        return await self.served.stub.UpdateProduct(request, metadata=self.served.ann)

    async def form(
        self, product: product_pb2.Product, content_type: str = "image/png", **others: Any
    ) -> image_pb2.ImageUpload:
        """Ann's form for an upload."""
        request = image_pb2.CreateImageUploadRequest(id=product.id, content_type=content_type, **others)
        return await self.served.stub.CreateImageUpload(request, metadata=self.served.ann)

    def call_form(self, product: product_pb2.Product, who: Metadata = ()) -> Any:
        """The call for a form; Ann's, if nobody's else."""
        request = image_pb2.CreateImageUploadRequest(id=product.id, content_type="image/png")
        return self.served.stub.CreateImageUpload(request, metadata=who or self.served.ann)

    async def uploaded(
        self, product: product_pb2.Product, content: bytes = PNG, content_type: str = "image/png"
    ) -> str:
        """An upload of Ann's that arrived: the image's id."""
        form = await self.form(product, content_type)
        await send(form, content)
        return form.image_id

    def put(self, product: product_pb2.Product, image_id: str, who: Metadata = (), **others: Any) -> Any:
        """The call that attaches or changes an image; Ann's, if nobody's else."""
        request = image_pb2.PutProductImageRequest(id=product.id, image_id=image_id, **others)
        return self.served.stub.PutProductImage(request, metadata=who or self.served.ann)

    def delete(self, product: product_pb2.Product, image_id: str, who: Metadata = ()) -> Any:
        """The call that deletes an image; Ann's, if nobody's else."""
        request = image_pb2.DeleteProductImageRequest(id=product.id, image_id=image_id)
        return self.served.stub.DeleteProductImage(request, metadata=who or self.served.ann)


def placement(product_id: str, image_id: str) -> images.Placement:
    """An image at the end of anybody's product."""
    return images.Placement(product_id, image_id, "", 0, None)


async def send(form: image_pb2.ImageUpload, content: bytes) -> None:
    """What a browser does with a form."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(form.url, data=dict(form.fields), files={"file": ("a picture", content)})
    assert answer.status_code in (200, 204), answer.text
