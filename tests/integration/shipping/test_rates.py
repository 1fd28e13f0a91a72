"""Rates over gRPC, on a real database: set as a whole, quoted by, and addresses judged."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from google.type import money_pb2

from services.chassis import clock, database, errors
from services.shipping.usecases import handling
from souk.shipping.v1 import rates_pb2, shipping_service_pb2, shipping_service_pb2_grpc
from souk.type.v1 import address_pb2
from tests.integration.shipping import pricing
from tests.integration.shipping.dispatch import new_id
from tests.support import calls


@dataclass
class Office:
    """Where rates are set and asked for."""

    shop: calls.Shop
    stub: Any
    admin: str

    async def table(self) -> rates_pb2.RateTable:
        request = shipping_service_pb2.GetRateTableRequest()
        found: rates_pb2.RateTable = await self.stub.GetRateTable(request, metadata=self.shop.as_service("order"))
        return found

    async def set(self, *zones: rates_pb2.Zone, expected: int | None = None) -> rates_pb2.RateTable:
        before = (await self.table()).version if expected is None else expected
        table = rates_pb2.RateTable(zones=zones, cubic_centimetres_per_kilogram=5000, default_grams=300)
        request = shipping_service_pb2.SetRateTableRequest(table=table, expected_version=before)
        answer: rates_pb2.RateTable = await self.stub.SetRateTable(
            request, metadata=self.shop.as_user(self.admin, "ADMIN")
        )
        return answer

    async def quote(self, country: str, *items: tuple[str, int], region: str = "") -> dict[str, int]:
        wanted = [shipping_service_pb2.QuoteRequest.Item(sku=sku, quantity=quantity) for sku, quantity in items]
        request = shipping_service_pb2.QuoteRequest(items=wanted, country=country, region=region)
        answer = await self.stub.Quote(request)
        name = rates_pb2.ServiceLevel.Name
        return {name(one.service_level): one.price.units * 100 + one.price.nanos // 10**7 for one in answer.options}


@pytest_asyncio.fixture
async def office(db: database.Database) -> AsyncIterator[Office]:
    hands = handling.Handling(db, now=clock.utc_now, track_s=60, wake=lambda: None)
    async with calls.served(pricing.servicer(hands, db), "shipping") as shop:
        yield Office(shop, shipping_service_pb2_grpc.ShippingServiceStub(shop.channel), new_id())


def usd(units: int) -> money_pb2.Money:
    return money_pb2.Money(currency_code="USD", units=units)


def rate(level: str, *bands: tuple[int, int], free_from: int = 0) -> rates_pb2.Rate:
    return rates_pb2.Rate(
        service_level=rates_pb2.ServiceLevel.Value(level),
        bands=[rates_pb2.Rate.Band(up_to_grams=grams, price=usd(units)) for grams, units in bands],
        free_from=usd(free_from) if free_from else None,
    )


HOME = rates_pb2.Zone(
    name="home",
    places=["US"],
    rates=[rate("STANDARD", (1000, 5), (30_000, 9), free_from=50), rate("EXPRESS", (1000, 15))],
)
FAR = rates_pb2.Zone(name="far", places=["US-AK", "US-HI"], rates=[rate("STANDARD", (0, 40))])


async def test_a_table_is_set_as_a_whole_and_again_is_as_good_as_once(office: Office) -> None:
    before = (await office.table()).version
    first = await office.set(HOME, FAR, expected=before)
    assert (first.version, first.actor) == (before + 1, f"user:{office.admin}")
    assert await office.set(HOME, FAR, expected=before) == first == await office.table()
    assert list(first.zones) == [HOME, FAR]


async def test_who_did_not_see_the_last_change_overwrites_nothing(office: Office) -> None:
    held = await office.set(HOME)
    refused = await calls.refused(office.set(FAR, expected=held.version - 1))
    assert (refused.code, refused.reason) == (errors.Code.ABORTED, "RATES_CHANGED")
    assert refused.metadata["version"] == str(held.version)
    assert await office.table() == held


async def test_a_quote_goes_by_zone_weight_and_service_level(office: Office) -> None:
    await office.set(HOME, FAR)
    assert await office.quote("US", ("MUG", 2)) == {"STANDARD": 500, "EXPRESS": 1500}
    assert await office.quote("US", ("MUG", 3)) == {"STANDARD": 900}
    assert await office.quote("US", ("MUG", 5)) == {"STANDARD": 0}
    assert await office.quote("US", ("MUG", 5), region="Alaska") == {"STANDARD": 4000}
    assert await office.quote("FR", ("MUG", 1)) == {}


async def test_what_takes_space_counts_as_its_space_and_what_is_too_large_is_not_shipped(office: Office) -> None:
    await office.set(HOME, FAR)
    # 1.44 cubic metres count as 288 kg, though the thing weighs 40.
    assert await office.quote("US", ("SOFA", 1)) == {}
    assert await office.quote("US", ("SOFA", 1), region="HI") == {"STANDARD": 4000}


async def test_items_that_cannot_be_quoted_are_named(office: Office) -> None:
    refused = await calls.refused(office.quote("US", ("MUG", 1), ("GONE", 1), ("MUG", 2)))
    assert [(item.field, item.reason) for item in refused.violations] == [
        ("items[1].sku", "SKU_UNKNOWN"),
        ("items[2].sku", "SKU_DUPLICATE"),
    ]
    assert (await calls.refused(office.quote("US", ("MUG", 1), ("TEA", 1)))).reason == "CURRENCY_MIXED"


@pytest.mark.parametrize("who", [(), ("CUSTOMER",), ("VENDOR",)])
async def test_only_administrators_set_rates(office: Office, who: tuple[str, ...]) -> None:
    request = shipping_service_pb2.SetRateTableRequest(table=rates_pb2.RateTable())
    refused = await calls.refused(office.stub.SetRateTable(request, metadata=office.shop.as_user(new_id(), *who)))
    assert refused.reason == "ACCESS_DENIED"


async def test_a_table_that_makes_no_sense_is_refused_with_all_that_is_wrong(office: Office) -> None:
    twice = rates_pb2.Zone(name="home", places=["US"], rates=[rate("STANDARD", (0, 5), (1000, 9))])
    refused = await calls.refused(office.set(HOME, twice))
    assert refused.reason == "RATES_INVALID"
    assert {item.reason for item in refused.violations} == {"ZONE_DUPLICATE", "PLACE_DUPLICATE", "BANDS_UNORDERED"}


async def test_an_address_is_told_what_is_wrong_with_it_and_what_is_meant(office: Office) -> None:
    address = address_pb2.Address(
        line1="1 Rd", city="Los Angeles", region="Californa", postal_code="90210", country="US"
    )
    answer = await office.stub.ValidateAddress(shipping_service_pb2.ValidateAddressRequest(address=address))
    assert not answer.valid
    assert [(one.field, one.reason, one.suggestion) for one in answer.problems] == [("region", "REGION_UNKNOWN", "CA")]
    address.region = "california"
    answer = await office.stub.ValidateAddress(shipping_service_pb2.ValidateAddressRequest(address=address))
    assert (answer.valid, answer.normalized.region, answer.normalized.line1) == (True, "CA", "1 Rd")
