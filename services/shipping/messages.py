"""Parcels and messages of the contract: `of_shipment` renders one, `confirmation` and the others parse what is heard."""

from collections.abc import Mapping, Sequence

from services import postal, tariff_table
from services.chassis import ids
from services.chassis.rpc import render
from services.shipping.domain import deliveries, parcels, rates
from services.shipping.domain.parcels import State
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2, return_events_pb2
from souk.shipping.v1 import rates_pb2, shipment_pb2, shipping_events_pb2, shipping_service_pb2
from souk.type.v1 import address_pb2

_ADDRESS = ("recipient", "line1", "line2", "city", "region", "postal_code", "country")
# States of ours that the contract shows as others.
SHOWN_AS: Mapping[State, str] = {
    State.IN_TRANSIT: "HANDED_OVER",
    State.AWAITED: "LABELLED",
    State.LABELLING_STOPPED: "STOPPED",
    State.VOIDING: "STOPPED",
}


def of_shipment(parcel: parcels.Parcel, history: Sequence[parcels.Entry], *, for_hands: bool) -> shipment_pb2.Shipment:
    """A shipment as it is shown; only those who handle it see where its label is. Who sends a return handles it."""
    return shipment_pb2.Shipment(
        id=parcel.id,
        order_id=parcel.order_id,
        user_id=parcel.user_id,
        status=_status(parcel.state),
        warehouse=parcel.warehouse,
        lines=_lines(parcel),
        carrier=parcel.label.carrier,
        tracking_number=parcel.label.tracking_number,
        tracking_url=parcel.label.tracking_url,
        label_url=parcel.label.url if for_hands else "",
        failure_reason=parcel.failure_reason,
        create_time=render.timestamp(parcel.create_time),
        update_time=render.timestamp(parcel.update_time),
        version=parcel.version,
        events=[_of_entry(entry) for entry in history],
        vendor_id=parcel.vendor_id,
        service_level=rates_pb2.ServiceLevel.Value(parcel.service_level),
        return_id=parcel.return_id,
    )


def of_created(fact: deliveries.Fact) -> shipping_events_pb2.ShipmentCreated:
    parcel = fact.parcel
    return shipping_events_pb2.ShipmentCreated(
        order_id=parcel.order_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        warehouse=parcel.warehouse,
        lines=_lines(parcel),
        complete=fact.complete,
    )


def of_handed_over(fact: deliveries.Fact) -> shipping_events_pb2.ShipmentHandedOver:
    parcel = fact.parcel
    return shipping_events_pb2.ShipmentHandedOver(
        order_id=parcel.order_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        lines=_lines(parcel),
        carrier=parcel.label.carrier,
        tracking_number=parcel.label.tracking_number,
        tracking_url=parcel.label.tracking_url,
        complete=fact.complete,
    )


def of_delivered(fact: deliveries.Fact) -> shipping_events_pb2.ShipmentDelivered:
    parcel = fact.parcel
    return shipping_events_pb2.ShipmentDelivered(
        order_id=parcel.order_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        lines=_lines(parcel),
        deliver_time=render.timestamp(fact.time),
        complete=fact.complete,
    )


def of_delivery_failed(fact: deliveries.Fact) -> shipping_events_pb2.ShipmentDeliveryFailed:
    parcel = fact.parcel
    return shipping_events_pb2.ShipmentDeliveryFailed(
        order_id=parcel.order_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        tracking_number=parcel.label.tracking_number,
        tracking_url=parcel.label.tracking_url,
    )


def of_undeliverable(fact: deliveries.Fact) -> shipping_events_pb2.ShipmentUndeliverable:
    parcel = fact.parcel
    return shipping_events_pb2.ShipmentUndeliverable(
        order_id=parcel.order_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        lines=_lines(parcel),
        cause=shipping_events_pb2.ShipmentUndeliverable.Cause.Value(parcel.state),
    )


def of_return_labelled(fact: deliveries.Fact) -> shipping_events_pb2.ReturnShipmentLabelled:
    parcel = fact.parcel
    return shipping_events_pb2.ReturnShipmentLabelled(
        order_id=parcel.order_id,
        return_id=parcel.return_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        lines=_lines(parcel),
        carrier=parcel.label.carrier,
        tracking_number=parcel.label.tracking_number,
        label_url=parcel.label.url,
    )


def of_return_arrived(fact: deliveries.Fact) -> shipping_events_pb2.ReturnShipmentArrived:
    parcel = fact.parcel
    return shipping_events_pb2.ReturnShipmentArrived(
        order_id=parcel.order_id,
        return_id=parcel.return_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        warehouse=parcel.warehouse,
        lines=_lines(parcel),
        arrive_time=render.timestamp(fact.time),
    )


def of_return_undeliverable(fact: deliveries.Fact) -> shipping_events_pb2.ReturnShipmentUndeliverable:
    parcel = fact.parcel
    return shipping_events_pb2.ReturnShipmentUndeliverable(
        order_id=parcel.order_id,
        return_id=parcel.return_id,
        shipment_id=parcel.id,
        user_id=parcel.user_id,
        lines=_lines(parcel),
        cause=shipping_events_pb2.ShipmentUndeliverable.Cause.Value(parcel.state),
    )


def confirmation(message: order_events_pb2.OrderConfirmed) -> deliveries.Confirmation | None:
    """An order to be sent; None for one of before orders said where to."""
    if not message.HasField("shipping_address"):
        return None
    return deliveries.Confirmation(
        order_id=ids.canonical(message.order_id),
        user_id=ids.canonical(message.user_id),
        address=parcels.Address(*(getattr(message.shipping_address, name) for name in _ADDRESS)),
        confirm_time=render.moment(message.confirm_time),
        terms=deliveries.Terms(
            rates_pb2.ServiceLevel.Name(message.service_level or rates_pb2.STANDARD),
            {sku: ids.canonical(vendor_id) for sku, vendor_id in message.vendors.items()},
        ),
    )


def cancellation(message: order_events_pb2.OrderCancelled) -> deliveries.Cancellation:
    return deliveries.Cancellation(ids.canonical(message.order_id))


def picks(message: inventory_events_pb2.StockCommitted) -> deliveries.Picks | None:
    """Where an order's lines come from; None for one of before the inventory said so."""
    if not message.picks:
        return None
    said = tuple(deliveries.Pick(pick.sku, pick.quantity, pick.warehouse) for pick in message.picks)
    return deliveries.Picks(ids.canonical(message.order_id), said)


def granted(message: return_events_pb2.ReturnApproved) -> deliveries.ReturnGranted:
    lines = tuple(parcels.Line(line.sku, line.quantity) for line in message.lines)
    return deliveries.ReturnGranted(ids.canonical(message.order_id), ids.canonical(message.return_id), lines)


def over(message: return_events_pb2.ReturnRejected | return_events_pb2.ReturnReceived) -> deliveries.ReturnOver:
    return deliveries.ReturnOver(ids.canonical(message.order_id), ids.canonical(message.return_id))


def stop_request(message: order_events_pb2.ShipmentsStopRequested) -> deliveries.StopRequest:
    return deliveries.StopRequest(ids.canonical(message.order_id))


def of_stopped(fact: deliveries.ShipmentsStopped) -> shipping_events_pb2.ShipmentsStopped:
    return shipping_events_pb2.ShipmentsStopped(order_id=fact.order_id)


def of_stop_refused(fact: deliveries.StopRefused) -> shipping_events_pb2.StopRefused:
    return shipping_events_pb2.StopRefused(order_id=fact.order_id, reason=fact.reason)


def of_table(kept: rates.Kept) -> rates_pb2.RateTable:
    message = tariff_table.rendered(kept.table)
    message.actor = kept.actor
    if kept.update_time:
        message.update_time.CopyFrom(render.timestamp(kept.update_time))
    return message


def items(request: shipping_service_pb2.QuoteRequest) -> list[rates.Item]:
    return [rates.Item(item.sku, item.quantity) for item in request.items]


def of_quote(priced: rates.Priced) -> shipping_service_pb2.QuoteResponse:
    return shipping_service_pb2.QuoteResponse(
        options=[
            rates_pb2.ShippingOption(
                service_level=rates_pb2.ServiceLevel.Value(level), price=render.money_message(price)
            )
            for level, price in priced.options
        ],
        grams=priced.grams,
    )


def place(address: address_pb2.Address) -> postal.Place:
    return postal.Place(address.country, address.region, address.city, address.postal_code)


def of_verdict(address: address_pb2.Address, verdict: postal.Verdict) -> shipping_service_pb2.ValidateAddressResponse:
    normalized = address_pb2.Address()
    normalized.CopyFrom(address)
    normalized.region, normalized.postal_code = verdict.place.region, verdict.place.postal_code
    return shipping_service_pb2.ValidateAddressResponse(
        valid=not verdict.problems,
        problems=[
            rates_pb2.AddressProblem(
                field=problem.field, reason=problem.reason, message=problem.message, suggestion=problem.suggestion
            )
            for problem in verdict.problems
        ],
        normalized=normalized,
    )


def _status(state: State) -> shipment_pb2.Shipment.Status.ValueType:
    return shipment_pb2.Shipment.Status.Value(SHOWN_AS.get(state, state))


def _lines(parcel: parcels.Parcel) -> list[shipment_pb2.Shipment.Line]:
    return [shipment_pb2.Shipment.Line(sku=line.sku, quantity=line.quantity) for line in parcel.lines]


def _of_entry(entry: parcels.Entry) -> shipment_pb2.Shipment.Event:
    return shipment_pb2.Shipment.Event(
        sequence=entry.sequence,
        status=_status(entry.state),
        event=entry.event,
        place=entry.place,
        reason=entry.reason,
        time=render.timestamp(entry.time),
    )
