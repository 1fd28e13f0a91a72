"""Shipments over gRPC: whose they are, what a warehouse's hands do, and who sees where the label is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from services.chassis import errors
from services.shipping.domain.parcels import State
from souk.shipping.v1 import rates_pb2, shipment_pb2, shipping_service_pb2, shipping_service_pb2_grpc
from tests.integration.shipping import pricing
from tests.integration.shipping.dispatch import Dispatch, committed, confirmed, new_id
from tests.support import calls


@dataclass
class Counter:
    """Where somebody with a token asks about shipments: an order with two of them, and whose it is."""

    shop: calls.Shop
    stub: Any
    order: str
    user: str
    ids: list[str]

    async def get(self, shipment_id: str, *who: str) -> shipment_pb2.Shipment:
        request = shipping_service_pb2.GetShipmentRequest(id=shipment_id)
        found: shipment_pb2.Shipment = await self.stub.GetShipment(request, metadata=self.shop.as_user(*who))
        return found

    async def of_order(self, *who: str) -> list[shipment_pb2.Shipment]:
        request = shipping_service_pb2.ListOrderShipmentsRequest(order_id=self.order)
        answer = await self.stub.ListOrderShipments(request, metadata=self.shop.as_user(*who))
        return list(answer.shipments)


@pytest_asyncio.fixture
async def counter(dispatch: Dispatch) -> AsyncIterator[Counter]:
    order, user = new_id(), new_id()
    await dispatch.say(confirmed(order, user_id=user))
    await dispatch.say(committed(order, "main", "west"))
    await dispatch.reach(order, State.LABELLED, State.LABELLED)
    ids = [parcel.id for parcel in await dispatch.of(order)]
    async with calls.served(pricing.servicer(dispatch.handling, dispatch.db), "shipping") as shop:
        yield Counter(shop, shipping_service_pb2_grpc.ShippingServiceStub(shop.channel), order, user, ids)


async def test_a_customer_sees_which_lines_are_where_and_not_where_labels_are(counter: Counter) -> None:
    shown = await counter.of_order(counter.user)
    assert [one.id for one in shown] == counter.ids
    assert [(one.warehouse, one.lines[0].sku, one.lines[0].quantity) for one in shown] == [
        ("main", "MUG", 2),
        ("west", "MUG", 2),
    ]
    assert {shipment_pb2.Shipment.Status.Name(one.status) for one in shown} == {"LABELLED"}
    assert all(one.tracking_number and not one.label_url for one in shown)
    assert shown[0] == await counter.get(counter.ids[0], counter.user)


async def test_others_see_nothing_and_do_not_learn_that_there_is_something(counter: Counter) -> None:
    assert await counter.of_order(new_id()) == []
    refused = await calls.refused(counter.get(counter.ids[0], new_id()))
    assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "SHIPMENT_NOT_FOUND")


async def test_an_administrator_sees_every_shipment_with_its_label(counter: Counter) -> None:
    assert [bool(one.label_url) for one in await counter.of_order(new_id(), "ADMIN")] == [True, True]


async def test_a_shipment_is_picked_packed_and_handed_over_and_again_is_as_good_as_once(counter: Counter) -> None:
    hands = counter.shop.as_user(new_id(), "ADMIN")
    steps = (
        (counter.stub.PickShipment, shipping_service_pb2.PickShipmentRequest, "PICKED"),
        (counter.stub.PackShipment, shipping_service_pb2.PackShipmentRequest, "PACKED"),
        (counter.stub.HandOverShipment, shipping_service_pb2.HandOverShipmentRequest, "HANDED_OVER"),
    )
    for call, request, status in steps:
        for _ in range(2):
            shown = await call(request(id=counter.ids[0]), metadata=hands)
            assert shipment_pb2.Shipment.Status.Name(shown.status) == status
    assert [entry.event for entry in shown.events][:5] == [
        "CREATED",
        "LABEL_BOUGHT",
        "PICKED",
        "PACKED",
        "HANDED_OVER",
    ]


async def test_a_vendor_handles_a_shipment_of_which_all_lines_are_its_own_and_no_other(dispatch: Dispatch) -> None:
    order, ann, bob = new_id(), new_id(), new_id()
    said = committed(order, "anns", "bobs", "both")
    said.picks[1].sku = "CUP"
    said.picks.add(sku="CUP", quantity=1, warehouse="both")
    await dispatch.say(confirmed(order, vendors={"MUG": ann, "CUP": bob}, service_level=rates_pb2.EXPRESS), said)
    await dispatch.reach(order, State.LABELLED, State.LABELLED, State.LABELLED)
    anns, bobs, both = await dispatch.of(order)
    assert [parcel.vendor_id for parcel in (anns, bobs, both)] == [ann, bob, ""]
    async with calls.served(pricing.servicer(dispatch.handling, dispatch.db), "shipping") as shop:
        stub, as_ann = shipping_service_pb2_grpc.ShippingServiceStub(shop.channel), shop.as_user(ann, "VENDOR")
        request = shipping_service_pb2.PickShipmentRequest
        picked = await stub.PickShipment(request(id=anns.id), metadata=as_ann)
        assert (picked.status, picked.vendor_id) == (shipment_pb2.Shipment.PICKED, ann)
        assert picked.label_url, "who packs it prints its label"
        assert picked.service_level == rates_pb2.EXPRESS
        for other in (bobs, both):
            refused = await calls.refused(stub.PickShipment(request(id=other.id), metadata=as_ann))
            assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "SHIPMENT_NOT_FOUND")
        listed = shipping_service_pb2.ListOrderShipmentsRequest(order_id=order)
        seen = await stub.ListOrderShipments(listed, metadata=as_ann)
        assert [shipment.id for shipment in seen.shipments] == [anns.id]


async def test_a_customer_handles_nothing_not_even_what_it_ordered(counter: Counter) -> None:
    request = shipping_service_pb2.PickShipmentRequest(id=counter.ids[0])
    as_customer = counter.stub.PickShipment(request, metadata=counter.shop.as_user(counter.user))
    assert (await calls.refused(as_customer)).reason == "ACCESS_DENIED"
    as_vendor = counter.stub.PickShipment(request, metadata=counter.shop.as_user(counter.user, "VENDOR"))
    assert (await calls.refused(as_vendor)).reason == "SHIPMENT_NOT_FOUND", "a vendor that bought it does not sell it"


async def test_a_step_out_of_turn_is_refused(counter: Counter) -> None:
    hands = counter.shop.as_user(new_id(), "ADMIN")
    request = shipping_service_pb2.HandOverShipmentRequest(id=counter.ids[0])
    refused = await calls.refused(counter.stub.HandOverShipment(request, metadata=hands))
    assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "SHIPMENT_STATUS_WRONG")
    assert refused.metadata["status"] == "LABELLED"
