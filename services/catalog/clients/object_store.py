"""The bucket of products' images, over S3's interface.

boto3 blocks, so its calls run in a few threads of their own; a call waits for a free one as long as its deadline lets it.
Every call may be repeated: it reads, or leaves the same state. What is no answer is a TransientError.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore import config, exceptions

from services.catalog.domain import images
from services.catalog.settings import Settings
from services.chassis import database, errors

Answer = TypeVar("Answer")

# What a bucket answers about an object that is not there; `head_object` has no word, but the status.
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
# Somebody uploaded something else while it was looked at.
_CHANGED = frozenset({"412", "PreconditionFailed"})
# A file of a name of its own never changes: browsers and caches may keep it for ever.
_CACHE_CONTROL = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Started:
    client: Any
    threads: ThreadPoolExecutor


class Bucket:
    """The bucket that the settings name. A part of the process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started: _Started | None = None

    async def start(self) -> None:
        """Get ready to call; nothing is connected yet."""
        # The library reads its description of S3 from files.
        client = await asyncio.to_thread(_client, self._settings)
        self._started = _Started(client, ThreadPoolExecutor(self._settings.s3_calls, thread_name_prefix="s3"))

    async def stop(self) -> None:
        """Close all connections. Calls under way end by their time-outs."""
        if self._started:
            self._started.threads.shutdown(wait=False, cancel_futures=True)
            self._started.client.close()

    @property
    def limits(self) -> images.Limits:
        """What may be uploaded, and how long."""
        return images.Limits(self._settings.images_most_bytes, self._settings.images_form_s)

    async def form(self, upload: images.Upload, seconds: int) -> images.Form:
        """A form that uploads one file of this type, to this key, of a size that is allowed. Raises TransientError."""
        most = self.limits.most_bytes
        typed = {"Content-Type": upload.content_type}
        conditions: list[Any] = [typed, ["content-length-range", 1, most]]

        def sign(client: Any) -> dict[str, Any]:
            return dict(client.generate_presigned_post(self._name, upload.key, typed, conditions, ExpiresIn=seconds))

        made = await self._call(sign)
        return images.Form(upload, made["url"], made["fields"], most)

    async def look(self, key: str) -> tuple[images.Stored, bytes] | None:
        """What lies there, and its first bytes; None when nothing does. Raises TransientError or images.ChangedError."""

        def read(client: Any) -> tuple[images.Stored, bytes] | None:
            try:
                seen = client.head_object(Bucket=self._name, Key=key)
            except exceptions.ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            stored = images.Stored(seen["ContentLength"], seen["ETag"])
            if not stored.size:
                return stored, b""
            part = f"bytes=0-{images.HEAD_BYTES - 1}"
            body = client.get_object(Bucket=self._name, Key=key, Range=part, IfMatch=stored.etag)["Body"]
            try:
                return stored, bytes(body.read(images.HEAD_BYTES))
            finally:
                body.close()

        return await self._call(read)

    async def publish(self, upload: images.Upload, stored: images.Stored) -> str:
        """Copy exactly what was looked at to where it is shown: its URL. Raises TransientError or images.ChangedError."""

        def copy(client: Any) -> None:
            client.copy_object(
                Bucket=self._name,
                Key=upload.public_key,
                CopySource={"Bucket": self._name, "Key": upload.key},
                CopySourceIfMatch=stored.etag,
                MetadataDirective="REPLACE",
                ContentType=upload.content_type,
                CacheControl=_CACHE_CONTROL,
            )

        await self._call(copy)
        return f"{self._settings.images_url.rstrip('/')}/{upload.public_key}"

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete up to 1,000 objects; those that are not there are deleted. Raises TransientError."""

        def clear(client: Any) -> None:
            wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            failed = client.delete_objects(Bucket=self._name, Delete=wanted).get("Errors", [])
            if failed:
                raise errors.TransientError(f"S3 did not delete {len(failed)} objects: {failed[0].get('Code')}")

        await self._call(clear)

    @property
    def _name(self) -> str:
        return self._settings.images_bucket

    async def _call(self, work: Callable[[Any], Answer]) -> Answer:
        database.require_no_transaction("S3")
        if self._started is None:
            raise RuntimeError("the bucket was not started")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._started.threads, work, self._started.client)
        except exceptions.ClientError as error:
            if _code(error) in _ABSENT | _CHANGED:
                raise images.ChangedError from error
            raise errors.TransientError(f"S3: {_code(error)}") from error
        except (exceptions.BotoCoreError, OSError) as error:
            raise errors.TransientError(f"S3: {type(error).__name__}") from error


def _client(settings: Settings) -> Any:
    options = config.Config(
        connect_timeout=settings.s3_timeout_s,
        read_timeout=settings.s3_timeout_s,
        max_pool_connections=settings.s3_calls,
        retries={"total_max_attempts": 2, "mode": "standard"},
        signature_version="s3v4",
        # AWS's own, by the bucket's name in its region: by the common name, the library's choice for forms, a new bucket of
        # another region than the first answers with a redirection, which no browser follows with a form.
        s3=None if settings.s3_endpoint_url else {"addressing_style": "virtual"},
    )
    endpoint = settings.s3_endpoint_url or None
    # A session of its own: the library's common one may not be used by several threads while it makes a client.
    return boto3.session.Session().client("s3", settings.aws_region, endpoint_url=endpoint, config=options)


def _code(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
