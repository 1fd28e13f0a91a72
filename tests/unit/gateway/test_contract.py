from collections.abc import Callable

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2

from gateway import contract
from souk.options.v1 import options_pb2

Method = descriptor_pb2.MethodDescriptorProto
Edited = Callable[[str, Callable[[Method], None]], bytes]


def policy(method: Method) -> options_pb2.Policy:
    return method.options.Extensions[options_pb2.policy]


def refusal(descriptors: bytes, registry: list[str]) -> tuple[str, ...]:
    with pytest.raises(contract.ContractError) as refused:
        contract.read(descriptors, registry)
    return refused.value.problems


def test_a_method_carries_all_that_the_contract_says_of_it(contracted: contract.Contract) -> None:
    create = next(method for method in contracted.methods if method.name == "CreateOrder")

    assert create.service == "order"
    assert create.full_name == "souk.order.v1.OrderService.CreateOrder"
    assert create.grpc_path == "/souk.order.v1.OrderService/CreateOrder"
    assert create.http == (contract.HttpRule("POST", "/api/v1/orders", "*"),)
    people = ("CUSTOMER", "VENDOR", "ADMIN")
    assert create.access == contract.Access(public=False, roles=people, services=(), for_users=("cart",))
    assert create.rate_limit == contract.RateLimit(60, contract.Scope.USER)
    assert create.idempotency is contract.Idempotency.KEYED
    assert create.timeout_ms == 5000
    assert "SKU_UNKNOWN" in create.errors
    assert create.comment.startswith("Places an order")
    assert "Errors:" not in create.comment


def test_a_call_without_a_timeout_has_the_default_and_a_stream_has_none(contracted: contract.Contract) -> None:
    timeouts = {method.name: method.timeout_ms for method in contracted.methods}

    assert timeouts["GetOrder"] == contract.DEFAULT_TIMEOUT_MS
    assert timeouts["WatchOrder"] == 0


def test_methods_for_services_only_are_not_exposed(contracted: contract.Contract) -> None:
    exposed = {method.name for method in contracted.exposed}

    assert "GetOrder" in exposed
    assert "BatchGetOffers" not in exposed
    assert "SetStock" not in exposed


def test_comments_stand_at_messages_fields_and_enum_values(contracted: contract.Contract) -> None:
    order = contracted.messages["souk.order.v1.Order"]
    status = contracted.enums["souk.order.v1.Order.Status"]

    assert order.comment == "An order of a customer."
    assert next(field.comment for field in order.fields if field.name == "user_id") == "The customer."
    assert status.values["CANCELLED"].startswith("It was cancelled")


def test_a_method_without_an_access_rule_is_refused(edited: Edited, registry: list[str]) -> None:
    broken = edited("GetOrder", lambda method: policy(method).ClearField("access"))

    assert refusal(broken, registry) == (
        "souk.order.v1.OrderService.GetOrder: no access rule (option souk.options.v1.policy)",
    )


def test_an_access_rule_that_lets_nobody_in_is_no_access_rule(edited: Edited, registry: list[str]) -> None:
    broken = edited("GetOrder", lambda method: policy(method).access.Clear())

    assert "no access rule" in refusal(broken, registry)[0]


def test_an_exposed_method_without_a_route_is_refused(edited: Edited, registry: list[str]) -> None:
    broken = edited("GetOrder", lambda method: method.options.ClearExtension(annotations_pb2.http))

    assert refusal(broken, registry) == (
        "souk.order.v1.OrderService.GetOrder: people may call it, but it has no google.api.http rule",
    )


def test_an_exposed_method_without_a_rate_limit_is_refused(edited: Edited, registry: list[str]) -> None:
    broken = edited("GetOrder", lambda method: policy(method).ClearField("rate_limit"))

    assert refusal(broken, registry) == (
        "souk.order.v1.OrderService.GetOrder: people may call it, but it has no rate limit",
    )


def test_a_public_method_cannot_be_limited_by_user(edited: Edited, registry: list[str]) -> None:
    def limit_by_user(method: Method) -> None:
        policy(method).rate_limit.scope = options_pb2.RateLimit.USER

    assert "limited by ADDRESS" in refusal(edited("ListProducts", limit_by_user), registry)[0]


def test_an_access_rule_may_only_name_services_that_exist(edited: Edited, registry: list[str]) -> None:
    broken = edited("BatchGetOffers", lambda method: policy(method).access.services.append("ordre"))

    assert refusal(broken, registry) == (
        "souk.catalog.v1.CatalogService.BatchGetOffers: its access rule names `ordre`, which the registry does not know",
    )


def test_who_calls_for_users_exists_and_the_users_have_roles(edited: Edited, registry: list[str]) -> None:
    unknown = edited("CreateOrder", lambda method: policy(method).access.for_users.append("kart"))
    assert "names `kart`" in refusal(unknown, registry)[0]
    nobodys = edited("BatchGetOffers", lambda method: policy(method).access.for_users.append("cart"))
    assert "no roles" in refusal(nobodys, registry)[0]


def test_a_service_that_the_registry_does_not_know_is_refused(descriptors: bytes, registry: list[str]) -> None:
    problems = refusal(descriptors, [name for name in registry if name != "payment"])

    assert "souk.payment.v1.PaymentService: the registry knows no service `payment`" in problems


def test_a_policy_without_an_idempotency_is_refused(edited: Edited, registry: list[str]) -> None:
    broken = edited("GetOrder", lambda method: policy(method).ClearField("idempotency"))

    assert "does not say what a repeated call does" in refusal(broken, registry)[0]


def test_an_exposed_method_takes_one_message_or_an_upload(edited: Edited, registry: list[str]) -> None:
    def stream_requests(method: Method) -> None:
        method.client_streaming = True

    def unbounded(method: Method) -> None:
        policy(method).ClearField("stream_bytes")

    for broken in (edited("GetOrder", stream_requests), edited("ImportProducts", unbounded)):
        assert "takes a stream only as an upload" in refusal(broken, registry)[0]


@pytest.mark.parametrize("path", ["/api/v1/orders/{id=orders/*}", "/api/v1/orders/**", "api/v1/orders"])
def test_only_plain_routes_are_taken(edited: Edited, registry: list[str], path: str) -> None:
    def reroute(method: Method) -> None:
        method.options.Extensions[annotations_pb2.http].get = path

    assert "is no plain route" in refusal(edited("GetOrder", reroute), registry)[0]


def test_a_route_may_only_name_fields_of_the_request(edited: Edited, registry: list[str]) -> None:
    def reroute(method: Method) -> None:
        method.options.Extensions[annotations_pb2.http].get = "/api/v1/orders/{order_id}"

    assert "names `order_id`" in refusal(edited("GetOrder", reroute), registry)[0]


def test_two_methods_cannot_share_a_route(edited: Edited, registry: list[str]) -> None:
    def reroute(method: Method) -> None:
        method.options.Extensions[annotations_pb2.http].get = "/api/v1/orders/{id}"

    assert "is already souk.order.v1.OrderService.GetOrder's" in refusal(edited("GetPayment", reroute), registry)[0]


def test_all_mistakes_are_named_at_once(edited: Edited, registry: list[str]) -> None:
    def break_twice(method: Method) -> None:
        method.options.ClearExtension(annotations_pb2.http)
        policy(method).ClearField("rate_limit")

    assert len(refusal(edited("GetOrder", break_twice), registry)) == 2
