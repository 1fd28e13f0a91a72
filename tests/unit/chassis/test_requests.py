"""A request as it arrives: what is refused before it costs anything, what the first violations are, and whose key counts."""

from typing import Any

import pytest
from google.protobuf.message import Message

from services.chassis import errors
from services.chassis.rpc import requests
from souk.catalog.v1 import catalog_service_pb2
from souk.notification.v1 import notification_service_pb2, preferences_pb2
from souk.notification.v1.notification_pb2 import Notification
from souk.order.v1 import order_service_pb2
from souk.type.v1 import address_pb2

LIMIT = 100_000
ITEM = order_service_pb2.CreateOrderRequest.Item
HOME = address_pb2.Address(line1="1 High Street", city="Leeds", country="GB")


def read(request: Message, key: str = "") -> Any:
    return requests.read(request.SerializeToString(), type(request).FromString, most_bytes=LIMIT, key=key)


def refusal(request: Message, key: str = "") -> errors.DomainError:
    with pytest.raises(errors.DomainError) as caught:
        read(request, key)
    assert caught.value.code is errors.Code.INVALID_ARGUMENT
    return caught.value


def order(**fields: Any) -> order_service_pb2.CreateOrderRequest:
    items = [ITEM(sku="TEA", quantity=1)]
    return order_service_pb2.CreateOrderRequest(**{"items": items, "shipping_address": HOME, **fields})


def test_a_request_that_is_too_large_is_not_parsed() -> None:
    def parse(_: bytes) -> Message:
        raise AssertionError("parsed")

    with pytest.raises(errors.DomainError, match="REQUEST_TOO_LARGE") as caught:
        requests.read(b"\0" * 101, parse, most_bytes=100, key="")
    assert caught.value.metadata == {"bytes": "101", "most_bytes": "100"}


def test_too_many_elements_are_one_violation_and_none_of_them_is_looked_at() -> None:
    error = refusal(order(items=[ITEM()] * 101))
    too_many = errors.Violation("items", "must contain no more than 100 item(s)", "repeated.max_items")
    assert (error.reason, error.violations, error.metadata) == ("REQUEST_INVALID", (too_many,), {"violations": "1"})


def test_lists_within_lists_and_maps_are_counted_too() -> None:
    choice = preferences_pb2.Choice(kind=Notification.ORDER, channels=[Notification.SMS] * 9)
    wishes = notification_service_pb2.UpdatePreferencesRequest(choices=[preferences_pb2.Choice(), choice])
    assert [violation.field for violation in refusal(wishes).violations] == ["choices[1].channels"]
    product = catalog_service_pb2.CreateProductRequest(attributes={f"a{n}": "x" for n in range(51)})
    assert [(item.field, item.reason) for item in refusal(product).violations] == [("attributes", "map.max_pairs")]


def test_of_many_violations_the_first_are_named_and_all_are_counted() -> None:
    error = refusal(order(items=[ITEM()] * 100))
    assert (len(error.violations), error.metadata) == (20, {"violations": "200"})
    assert error.violations[0].field == "items[0].sku"
    assert error.message == "the request breaks 200 rules of the contract"


@pytest.mark.parametrize(("attributes", "field"), [({"a": "x\0"}, "attributes[0]"), ({"a\0": "x"}, "attributes[0]")])
def test_a_nul_is_found_in_the_keys_and_values_of_maps(attributes: dict[str, str], field: str) -> None:
    request = catalog_service_pb2.CreateProductRequest(attributes=attributes)
    named = {violation.field for violation in refusal(request).violations if violation.reason == "string.nul"}
    assert named == {field}


def test_a_key_in_the_header_is_the_request_id_and_the_same_in_both_is_fine() -> None:
    assert read(order(), "k1").request_id == "k1"
    assert read(order(request_id="k1"), "k1").request_id == "k1"
    assert read(order(request_id="k1")).request_id == "k1"


def test_a_key_in_the_header_and_another_in_the_request_are_refused() -> None:
    error = refusal(order(request_id="k2"), "k1")
    assert (error.reason, [item.field for item in error.violations]) == ("IDEMPOTENCY_KEY_MISMATCH", ["request_id"])


def test_a_request_without_such_a_field_may_carry_a_key_that_means_nothing() -> None:
    request = order_service_pb2.GetOrderRequest(id="01900000-0000-7000-8000-000000000001")
    assert read(request, "k1") == request
