"""What a form of AWS's own S3 says; nothing is called. Against a server: tests/integration/catalog/test_images.py."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.catalog.clients import object_store
from services.catalog.domain import images
from services.catalog.settings import Settings

SETTINGS = Settings(images_bucket="souk-images", images_url="https://images.example.com", aws_region="eu-central-1")
UPLOAD = images.Upload("an-image", "a-product", "image/png", datetime(2026, 11, 29, tzinfo=UTC))


async def form() -> images.Form:
    bucket = object_store.Bucket(SETTINGS)
    await bucket.start()
    try:
        return await bucket.form(UPLOAD, 600)
    finally:
        await bucket.stop()


def test_a_form_is_sent_to_the_buckets_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that knows no region S3 redirects the first uploads of a new bucket, which a browser does not follow."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    assert asyncio.run(form()).url == "https://souk-images.s3.eu-central-1.amazonaws.com/"
