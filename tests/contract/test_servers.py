"""What every service says of itself at its own address, and the edge of all."""

import asyncio
from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from services import registry
from tests.support import shop

SERVICES = list(registry.load().services)


def full_name(service: str) -> str:
    return f"souk.{service}.v1.{service.title()}Service"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_says_that_it_serves(environment: Mapping[str, str], service: str) -> None:
    async with grpc.aio.insecure_channel(environment[f"{service.upper()}_ADDR"]) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answers = [
            await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
            for name in ("", full_name(service))
        ]

    assert [answer.status for answer in answers] == [health_pb2.HealthCheckResponse.SERVING] * 2


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_knows_nothing_of_the_health_of_others(environment: Mapping[str, str], service: str) -> None:
    other = full_name(next(name for name in SERVICES if name != service))
    async with grpc.aio.insecure_channel(environment[f"{service.upper()}_ADDR"]) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Check(health_pb2.HealthCheckRequest(service=other), timeout=10)

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_shows_its_contract_by_reflection(environment: Mapping[str, str], service: str) -> None:
    named, methods = await asyncio.to_thread(_reflected, environment[f"{service.upper()}_ADDR"], full_name(service))

    assert {full_name(service), "grpc.health.v1.Health"} <= named
    assert methods


def _reflected(address: str, name: str) -> tuple[set[str], list[str]]:
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        named = set(database.get_services())
        file = database.FindFileContainingSymbol(name)
    [service] = [service for service in file.service if name.endswith(f".{service.name}")]
    return named, [method.name for method in service.method]


async def test_the_edge_documents_every_route_and_is_well(market: shop.Shop) -> None:
    stranger = await market.stranger()

    document = shop.taken(await stranger.http.get("/openapi.json"))

    assert "/api/v1/orders/{id}/watch" in document["paths"]
    assert (await stranger.http.get("/docs")).status_code == 200
    assert (await stranger.http.get("/healthz")).status_code == 200
