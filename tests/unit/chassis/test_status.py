"""A status fits into the trailers of its call, whatever the error says, and keeps what a machine reads."""

import grpc
import pytest
from google.rpc import error_details_pb2

from services.chassis import errors
from services.chassis.rpc import status

LONG = "\N{FOX FACE}" * 5000


def info(error: errors.DomainError) -> error_details_pb2.ErrorInfo:
    found = error_details_pb2.ErrorInfo()
    assert status.render(error, "order").details[0].Unpack(found)
    return found


def bad(error: errors.DomainError) -> error_details_pb2.BadRequest:
    found = error_details_pb2.BadRequest()
    assert status.render(error, "order").details[1].Unpack(found)
    return found


@pytest.mark.parametrize("kind", errors.Code)
def test_the_largest_status_is_small_and_keeps_its_reason(kind: errors.Code) -> None:
    violations = tuple(errors.Violation(f"{LONG}[{n}]", LONG, LONG) for n in range(1000))
    metadata = {f"name{n}": LONG for n in range(100)}
    error = errors.DomainError(kind, "R" * 5000, LONG, metadata, violations, retry_after_s=1.0, domain="user")
    rendered = status.render(error, "order")
    assert len(rendered.SerializeToString()) <= status.MOST_BYTES
    # The message also travels by itself, percent-encoded: gRPC refuses more than 8 KiB of metadata.
    assert len(rendered.message.encode()) * 3 + status.MOST_BYTES * 4 / 3 < 8000
    assert info(error).reason.startswith("RRR")
    assert info(error).domain == "user.souk"
    assert info(error).metadata["name0"].startswith("\N{FOX FACE}")
    assert bad(error).field_violations


def test_of_many_violations_the_first_are_listed_and_the_message_says_how_many_there_are() -> None:
    violations = [errors.Violation(f"items[{n}].sku", "is not for sale", "SKU_UNKNOWN") for n in range(60)]
    error = errors.invalid("SKU_UNKNOWN", "some SKUs are not for sale", *violations)
    assert [item.field for item in bad(error).field_violations] == [f"items[{n}].sku" for n in range(20)]
    assert status.render(error, "order").message == "some SKUs are not for sale; the first 20 of 60 are listed"
    assert info(error).metadata == {"violations": "60"}


def test_an_error_that_crosses_two_services_counts_its_violations_once() -> None:
    violations = [errors.Violation(f"items[{n}]", "wrong") for n in range(20)]
    said = "wrong; the first 20 of 60 are listed"
    kind = errors.Code.INVALID_ARGUMENT
    error = errors.DomainError(kind, "REQUEST_INVALID", said, {"violations": "60"}, tuple(violations), domain="user")
    assert info(error).metadata == {"violations": "60"}
    assert status.render(error, "order").message == error.message


def test_a_short_error_is_as_it_was_raised() -> None:
    error = errors.DomainError(errors.Code.ABORTED, "VERSION_CHANGED", "it changed", {"version": "2"})
    assert info(error).metadata == {"version": "2"}
    assert status.CODES[status.render(error, "order").code] is grpc.StatusCode.ABORTED
    assert status.render(error, "order").message == "it changed"


def test_further_details_go_along_as_far_as_there_is_room() -> None:
    small, large = (error_details_pb2.LocalizedMessage(message="x" * size) for size in (1000, 5000))
    error = errors.DomainError(errors.Code.ABORTED, "VERSION_CHANGED", "it changed", details=(large, small))
    rendered = status.render(error, "order")
    found = error_details_pb2.LocalizedMessage()
    assert [detail.Unpack(found) for detail in rendered.details] == [False, True]
    assert found == small
    assert rendered.ByteSize() <= status.MOST_BYTES
