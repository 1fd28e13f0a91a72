"""What a cart shows of what the shop says, as far as it is known."""

from datetime import UTC, datetime

import pytest

from services.cart import domain
from services.chassis import money

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TEA = domain.Line("tea", 2, NOW, money.Money("USD", 500))
CUP = domain.Line("cup", 1, NOW)


def offers(**prices: money.Money) -> dict[str, domain.Offer]:
    return {sku: domain.Offer(sku, "product", sku, price) for sku, price in prices.items()}


def shown(said: domain.Offers, stock: domain.Stock = None) -> domain.Shown:
    return domain.Shown(domain.Cart((TEA, CUP), version=1), said, stock, None)


def test_a_total_is_of_the_lines_that_are_sold() -> None:
    assert shown(offers(tea=money.Money("USD", 450))).total == money.Money("USD", 900)


@pytest.mark.parametrize(
    "said", [None, {}, offers(tea=money.Money("USD", 450), cup=money.Money("EUR", 450))], ids=["away", "none", "mixed"]
)
def test_there_is_no_total_without_prices_or_in_several_currencies(said: domain.Offers) -> None:
    assert shown(said).total is None


def test_a_price_that_was_not_known_has_not_changed() -> None:
    assert shown(offers(cup=money.Money("USD", 1), tea=money.Money("USD", 500))).changes(CUP) == []


def test_nothing_has_changed_as_far_as_nobody_knows() -> None:
    assert shown(None).changes(TEA) == []


def test_a_sku_without_stock_has_none() -> None:
    assert shown(None, {}).available(TEA) == 0
    assert shown(None, {}).changes(TEA) == [domain.Change.FEWER_IN_STOCK]
    assert shown(None, {"tea": 2}).changes(TEA) == []
