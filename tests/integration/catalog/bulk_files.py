"""Files of products for tests, and their imports over the real server."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from services.chassis import errors
from services.chassis.rpc import status
from souk.catalog.v1 import bulk_pb2, catalog_service_pb2
from tests.integration.catalog.served import Metadata, Served

Response = bulk_pb2.ImportProductsResponse


def new_sku() -> str:
    return f"SKU-{str(uuid.uuid4()).upper()}"


def row(category: str, **changes: Any) -> dict[str, Any]:
    """A row of a new product."""
    fields = {"sku": new_sku(), "title": "Tea", "category": category, "price": "12.50", "currency": "EUR"}
    return fields | changes


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in rows).encode()


def pieces(file: bytes, size: int, **first: Any) -> Iterator[bulk_pb2.ImportProductsRequest]:
    """A file cut anywhere. The first message says what is to be done."""
    first = {"format": bulk_pb2.JSON_LINES} | first
    for place in range(0, max(len(file), 1), size):
        yield bulk_pb2.ImportProductsRequest(file=HttpBody(data=file[place : place + size]), **first)
        first = {}


async def imported(catalog: Served, who: Metadata, file: bytes, **options: Any) -> tuple[Response.Summary, list[Any]]:
    """The summary and the rows of an import's report."""
    call = catalog.stub.ImportProducts(pieces(file, options.pop("size", 100_000), **options), metadata=who)
    messages = [message async for message in call]
    assert messages[0].HasField("summary")
    return messages[0].summary, [each for message in messages[1:] for each in message.rows]


async def refused(catalog: Served, who: Metadata, file: bytes, **options: Any) -> errors.DomainError:
    """The error of an import that has no report."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await imported(catalog, who, file, **options)
    parsed = status.parse(caught.value)
    assert isinstance(parsed, errors.DomainError)
    return parsed


async def exported(catalog: Served, who: Metadata, **options: Any) -> bytes:
    """An exported file."""
    call = catalog.stub.ExportProducts(bulk_pb2.ExportProductsRequest(**options), metadata=who)
    return b"".join([piece.file.data async for piece in call])


def outcomes(rows: list[Any]) -> list[str]:
    return [Response.Row.Outcome.Name(each.outcome) for each in rows]


def problems(rows: list[Any]) -> list[tuple[int, str, str]]:
    return [(each.line, problem.field, problem.reason) for each in rows for problem in each.problems]


async def of_category(catalog: Served) -> list[Any]:
    request = catalog_service_pb2.ListProductsRequest(category=catalog.category, page_size=100)
    return list((await catalog.stub.ListProducts(request)).products)
