"""Whatever a request holds, reading and refusing it takes milliseconds and megabytes, and its error is small.

Each repeated, map, string and bytes field of each method, of services to come too, gets a million elements or megabytes;
then as much as the method's own limit lets through, which is the most that is ever parsed.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import protovalidate
import pytest
from buf.validate import validate_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.type.money_pb2 import Money
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis import errors
from services.chassis.rpc import policy, requests, status
from souk.catalog.v1 import catalog_service_pb2, product_pb2
from souk.order.v1 import order_service_pb2
from tests.security import floods

MILLION = 1_000_000
MEGABYTES = 8 * 1024 * 1024
# Some ten times of what is needed.
MOST_CPU_S = 0.1
MOST_MEMORY_KIB = 64 * 1024
GBP = Money(currency_code="GBP", units=1)
CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
TARGETS = floods.targets()
# Fields of messages of others; everything else is checked by the contract.
CHECKED_BY_THE_DOMAIN = {
    "google.type.Money.currency_code",
    "google.api.HttpBody.content_type",
    "google.api.HttpBody.data",
}
METHODS = [method for _, service in floods.services() for method in service.methods]


def each(targets: Iterable[floods.Target]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("target", [pytest.param(target, id=target.name) for target in targets])


def _is_text(target: floods.Target) -> bool:
    return target.path[-1].type in floods.TEXTS and not target.path[-1].is_repeated


def _most(target: floods.Target) -> int:
    rules = target.path[-1].GetOptions().Extensions[validate_pb2.field]
    return int(rules.map.max_pairs or rules.repeated.max_items)


def refusal(target: floods.Target, sent: bytes) -> errors.DomainError | None:
    """What the server raises for this request; None when it is fine."""
    method = policy.of_method(target.method)
    try:
        requests.read(sent, _parser(target), most_bytes=method.most_bytes, key="")
    except errors.DomainError as error:
        return error
    return None


def _parser(target: floods.Target) -> Callable[[bytes], Message]:
    return message_factory.GetMessageClass(target.method.input_type).FromString


def cheaply_refused(target: floods.Target, sent: bytes) -> errors.DomainError | None:
    """The refusal, measured: the quickest of three, because others use the machine too."""
    # Rules are compiled at the first request of a kind.
    refusal(target, b"")
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_kib()
    seconds = []
    for _ in range(3):
        started = time.process_time()
        error = refusal(target, sent)
        seconds.append(time.process_time() - started)
        if seconds[-1] < MOST_CPU_S:
            break
    assert min(seconds) < MOST_CPU_S, f"{len(sent)} bytes take {min(seconds):.3f} s"
    assert _peak_kib() - before < MOST_MEMORY_KIB
    if error:
        assert len(status.render(error, "order").SerializeToString()) <= status.MOST_BYTES
        assert len(error.violations) <= status.MOST_VIOLATIONS
    return error


def _peak_kib() -> int:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


def filling(target: floods.Target, make: Callable[[int], bytes]) -> bytes:
    """The largest request of this make that the method's limit lets through."""
    limit = policy.of_method(target.method).most_bytes
    each = (len(make(2000)) - len(make(1000))) / 1000
    count = int((limit - 100) / each)
    sent = make(count)
    assert limit - 400 < len(sent) <= limit
    return sent


@each(TARGETS)
def test_a_million_elements_are_refused_before_they_are_parsed(target: floods.Target) -> None:
    # A piece of a file may have more than a million bytes.
    million = max(MILLION, policy.of_method(target.method).most_bytes)
    for sent in (target.elements(million), target.elements(MEGABYTES) if _is_text(target) else b""):
        if sent:
            error = cheaply_refused(target, sent)
            assert error
            assert error.reason == "REQUEST_TOO_LARGE"


@each(TARGETS)
def test_as_much_as_is_parsed_is_refused_cheaply(target: floods.Target) -> None:
    error = cheaply_refused(target, filling(target, target.elements))
    assert error or target.path[-1].full_name in CHECKED_BY_THE_DOMAIN
    if error:
        assert error.reason == "REQUEST_INVALID"
        assert error.violations


@each(target for target in TARGETS if _is_text(target) and target.path[-1].type != FieldDescriptor.TYPE_BYTES)
def test_a_text_of_zeros_is_refused_cheaply(target: floods.Target) -> None:
    error = cheaply_refused(target, filling(target, target.zeros))
    assert error
    assert "string.nul" in {violation.reason for violation in error.violations}


# Only services ask for these: what names nothing is absent from the answer.
EMPTY_IS_VALID = {f"souk.{name}Request.skus" for name in ("catalog.v1.BatchGetOffers", "inventory.v1.BatchGetStock")}


@each(target for target in TARGETS if _most(target))
def test_as_many_elements_as_are_allowed_all_wrong_are_refused_cheaply(target: floods.Target) -> None:
    error = cheaply_refused(target, target.elements(_most(target)))
    assert error or target.path[-1].full_name in EMPTY_IS_VALID
    assert error is None or error.reason == "REQUEST_INVALID"


def test_without_these_bounds_the_same_floods_are_expensive() -> None:
    request = order_service_pb2.CreateOrderRequest.FromString(b"\x0a\x00" * 30_000)
    started = time.process_time()
    assert len(protovalidate.collect_violations(request)) > 30_000
    assert time.process_time() - started > MOST_CPU_S


def test_what_is_valid_fits_however_long_it_is() -> None:
    fox = "\N{FOX FACE}"
    request = catalog_service_pb2.CreateProductRequest(
        title=fox * 200,
        description=fox * 5000,
        category="c" * 63,
        variants=[product_pb2.Variant(sku=f"{n:064}", title=fox * 120, price=GBP) for n in range(50)],
        request_id=fox * 128,
        attributes={f"a{n:039}": fox * 200 for n in range(50)},
        images=[f"https://x/{n:01990}" for n in range(20)],
    )
    skus = catalog_service_pb2.BatchGetOffersRequest(skus=[fox * 64] * 2000)
    for valid, name in ((request, "CreateProduct"), (skus, "BatchGetOffers")):
        limit = policy.of_service(CATALOG)[name].most_bytes
        sent = valid.SerializeToString()
        assert requests.read(sent, type(valid).FromString, most_bytes=limit, key="") == valid
        assert limit < 4 * len(sent)


@pytest.mark.parametrize("method", [pytest.param(method, id=method.full_name) for method in METHODS])
def test_whatever_the_bytes_are_they_are_a_request_or_a_refusal(method: MethodDescriptor) -> None:
    parse = message_factory.GetMessageClass(method.input_type).FromString

    @given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda bits: b"\x0a" + bytes([len(bits)]) + bits))
    @settings(max_examples=40, derandomize=True)
    def look(sent: bytes) -> None:
        with suppress(errors.DomainError):
            requests.read(sent, parse, most_bytes=policy.of_method(method).most_bytes, key="k")

    look()
