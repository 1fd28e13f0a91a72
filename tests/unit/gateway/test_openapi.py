from typing import Any

import openapi_spec_validator
import pytest
from buf.validate import validate_pb2

from gateway import contract, openapi, schemas

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(contracted: contract.Contract) -> Document:
    return openapi.document(contracted)


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def test_the_document_is_valid_openapi(document: Document) -> None:
    openapi_spec_validator.validate(document)

    assert document["openapi"] == "3.1.0"


def test_it_has_every_route_of_the_contract_and_no_other(document: Document, contracted: contract.Contract) -> None:
    documented = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}

    assert documented == {(rule.verb, rule.path) for method in contracted.exposed for rule in method.http}


def test_an_operation_says_what_its_method_promises(document: Document) -> None:
    create = document["paths"]["/api/v1/orders"]["post"]

    assert create["summary"] == "Places an order and returns it in PENDING."
    assert "SKU_UNKNOWN" in create["x-error-reasons"]
    assert create["x-rate-limit"] == {"calls_per_minute": 60, "per": "user"}
    assert create["security"] == [{"bearer": []}]
    assert create["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/souk.order.v1.Order"
    }


def test_a_keyed_operation_takes_an_idempotency_key(document: Document) -> None:
    keyed = document["paths"]["/api/v1/orders"]["post"]["parameters"]
    safe = document["paths"]["/api/v1/orders"]["get"]["parameters"]

    assert [parameter["name"] for parameter in keyed] == ["Idempotency-Key"]
    assert [parameter["name"] for parameter in safe] == ["page_size", "page_token"]


def test_public_operations_ask_for_no_token(document: Document) -> None:
    login = document["paths"]["/api/v1/users/login"]["post"]

    assert login["security"] == []
    assert "401" not in login["responses"]


def test_what_stands_in_the_path_is_not_in_the_body(document: Document) -> None:
    stock = document["paths"]["/api/v1/products/{id}/stock"]["put"]
    body = stock["requestBody"]["content"]["application/json"]["schema"]

    assert [(parameter["name"], parameter["in"], parameter["required"]) for parameter in stock["parameters"]] == [
        ("id", "path", True)
    ]
    assert stock["parameters"][0]["schema"]["format"] == "uuid"
    assert set(body["properties"]) == {"sku", "warehouse", "on_hand"}


def test_the_rules_of_fields_become_constraints(document: Document) -> None:
    register = schema(document, "souk.user.v1.RegisterRequest")
    order = schema(document, "souk.order.v1.CreateOrderRequest")

    assert register["properties"]["password"]["minLength"] == 12
    assert register["properties"]["password"]["maxLength"] == 128
    assert register["properties"]["email"]["format"] == "idn-email"
    assert "email" in register["required"]
    assert register["properties"]["password"]["format"] == "password"
    assert order["properties"]["items"]["minItems"] == 1
    assert order["properties"]["items"]["maxItems"] == 100
    assert order["properties"]["payment_method"]["pattern"] == "^[a-z][A-Za-z0-9_]{2,63}$"


def test_fields_that_cannot_be_left_out_are_required(document: Document) -> None:
    assert schema(document, "souk.order.v1.CreateOrderRequest")["required"] == [
        "items",
        "shipping_address",
    ]


def test_a_field_that_may_be_left_out_is_not_required_whatever_its_rules(document: Document) -> None:
    change = schema(document, "souk.user.v1.UpdateMeRequest")

    assert change["properties"]["new_password"]["minLength"] == 12
    assert "required" not in change


def test_the_rules_of_maps_become_constraints(document: Document) -> None:
    attributes = schema(document, "souk.catalog.v1.CreateProductRequest")["properties"]["attributes"]

    assert attributes["maxProperties"] == 50
    assert attributes["propertyNames"] == {"maxLength": 40, "pattern": "^[a-z][a-z0-9_]{0,39}$"}
    assert attributes["additionalProperties"] == {"type": "string", "minLength": 1, "maxLength": 200}


def test_values_that_are_refused_are_excluded(document: Document) -> None:
    adjust = document["paths"]["/api/v1/inventory/{sku}/adjust"]["post"]
    delta = adjust["requestBody"]["content"]["application/json"]["schema"]["properties"]["delta"]
    roles = document["paths"]["/api/v1/users/{id}/roles"]["put"]
    items = roles["requestBody"]["content"]["application/json"]["schema"]["properties"]["roles"]["items"]

    assert delta["not"] == {"enum": [0, "0"]}
    assert items == {"$ref": "#/components/schemas/souk.user.v1.User.Role", "not": {"const": "ROLE_UNSPECIFIED"}}


def test_a_long_integer_is_answered_as_a_string_and_may_be_sent_as_a_number(document: Document) -> None:
    sent = schema(document, "souk.order.v1.CreateOrderRequest.Item")["properties"]["quantity"]
    answered = schema(document, "souk.order.v1.OrderLine")["properties"]["quantity"]

    assert sent["type"] == ["string", "integer"]
    assert (sent["minimum"], sent["maximum"]) == (1, 999)
    assert answered["type"] == "string"


def test_enums_are_their_names_with_their_meaning(document: Document) -> None:
    status = schema(document, "souk.order.v1.Order.Status")

    assert "CONFIRMED" in status["enum"]
    assert "- `CANCELLED`: It was cancelled" in status["description"]


def test_every_answer_but_success_has_the_one_error_shape(document: Document) -> None:
    shapes = [answer["content"] for answer in document["components"]["responses"].values()]
    shapes += [verb["responses"]["default"]["content"] for path in document["paths"].values() for verb in path.values()]

    assert all(shape == {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}} for shape in shapes)


def test_the_edges_own_reasons_are_listed(document: Document) -> None:
    assert document["x-edge-error-reasons"]["RATE_LIMITED"].startswith("429: ")


def test_limits_are_those_in_force(contracted: contract.Contract) -> None:
    relaxed = openapi.document(contracted, factor=10)

    assert relaxed["paths"]["/api/v1/orders"]["post"]["x-rate-limit"]["calls_per_minute"] == 600


def test_maps_and_messages_that_hold_themselves_have_schemas() -> None:
    text = contract.Field("key", "string", "", repeated=False, comment="", rules=_no_rules())
    value = contract.Field("value", "int32", "", repeated=False, comment="", rules=_no_rules())
    entry = contract.Message("x.Tree.SizesEntry", "", (text, value), map_entry=True)
    sizes = contract.Field("sizes", "message", "x.Tree.SizesEntry", repeated=True, comment="", rules=_no_rules())
    children = contract.Field("children", "message", "x.Tree", repeated=True, comment="Below.", rules=_no_rules())
    tree = contract.Message("x.Tree", "", (sizes, children), map_entry=False)
    writer = schemas.Schemas(contract.Contract((), {"x.Tree": tree, "x.Tree.SizesEntry": entry}, {}), sent=())

    assert writer.message("x.Tree") == {"$ref": "#/components/schemas/x.Tree"}
    assert writer.components["x.Tree"]["properties"] == {
        "sizes": {"type": "object", "additionalProperties": {"type": "integer", "format": "int32"}},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/x.Tree"}, "description": "Below."},
    }


def _no_rules() -> validate_pb2.FieldRules:
    return validate_pb2.FieldRules()
