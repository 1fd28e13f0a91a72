import dataclasses
import itertools
import json
from typing import Any

from scripts.bench import requests

WANTED = requests.Wanted(tokens=("t1", "t2"), skus=tuple(f"SKU-{n}" for n in range(20)), lines=3, key="run")


def sent(wanted: requests.Wanted, count: int) -> list[tuple[dict[str, str], dict[str, Any]]]:
    parsed = []
    for request in itertools.islice(requests.stream("shop:80", wanted), count):
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        assert lines[0] == "POST /api/v1/orders HTTP/1.1"
        parsed.append((dict(line.split(": ", 1) for line in lines[1:]), json.loads(body)))
        assert int(parsed[-1][0]["content-length"]) == len(body)
    return parsed


def test_every_order_has_a_key_of_its_own_even_when_baskets_repeat() -> None:
    orders = sent(WANTED, 2 * requests.TEMPLATES)
    assert len({headers["idempotency-key"] for headers, _ in orders}) == len(orders)
    assert all(headers["idempotency-key"].startswith("run-") for headers, _ in orders)


def test_every_order_says_what_sends_it_for_firewalls_refuse_what_does_not() -> None:
    assert all(headers["user-agent"] == "souk-bench" for headers, _ in sent(WANTED, 50))


def test_customers_take_turns() -> None:
    assert [headers["authorization"] for headers, _ in sent(WANTED, 3)] == ["Bearer t1", "Bearer t2", "Bearer t1"]


def test_an_order_has_different_skus_and_one_to_three_units_of_each() -> None:
    for _, order in sent(WANTED, 50):
        assert len({item["sku"] for item in order["items"]}) == 3
        assert {item["quantity"] for item in order["items"]} <= {1, 2, 3}
        assert order["payment_method"] == "card_approved"


def test_every_run_sends_the_same_baskets() -> None:
    other = requests.Wanted(tokens=("t3",), skus=WANTED.skus, lines=3, key="later")
    assert [order for _, order in sent(WANTED, 20)] == [order for _, order in sent(other, 20)]


def test_a_fixed_number_of_units_is_kept() -> None:
    hot = requests.Wanted(tokens=("t",), skus=("HOT",), lines=1, key="run", units=1)
    assert sent(hot, 2)[1][1]["items"] == [{"sku": "HOT", "quantity": 1}]


def test_orders_have_a_coupon_only_where_one_is_wanted() -> None:
    with_coupon = dataclasses.replace(WANTED, coupon="SAVE10")
    assert all(order["coupon_codes"] == ["SAVE10"] for _, order in sent(with_coupon, 5))
    assert all("coupon_codes" not in order for _, order in sent(WANTED, 5))
