"""Orders that are paid by what their customer saved: the token is asked for once, before anything is written."""

from dataclasses import replace

import pytest

from services.chassis import database, errors
from services.order import domain
from services.order.usecases import Orders
from tests.integration.order.ordering import PriceList, Wallet, counted, draft, new_id, using

METHOD = "0193aaaa-0000-7000-8000-000000000001"


@pytest.fixture
def wallet() -> Wallet:
    return Wallet()


@pytest.fixture
def orders(db: database.Database, prices: PriceList, wallet: Wallet) -> Orders:
    return using(db, prices, wallet=wallet)


def by_saved(user_id: str, method: str = METHOD, *, request_id: str = "") -> domain.Draft:
    return replace(draft(user_id, request_id=request_id), payment_method="", saved_method=method)


@pytest.mark.parametrize("method", [METHOD, "default"])
async def test_an_order_is_paid_by_the_token_that_its_customer_saved(
    orders: Orders, wallet: Wallet, method: str
) -> None:
    ann = new_id()
    wallet.saved[ann, method] = "pm_of_ann"

    placed = await orders.accepting.create(by_saved(ann, method))

    kept = await orders.reading.get(placed.order.id, owner_id=ann)
    assert kept.order.payment_method == "pm_of_ann"


async def test_an_order_that_names_a_token_asks_nobody(orders: Orders, wallet: Wallet) -> None:
    await orders.accepting.create(draft(new_id()))

    assert wallet.asked == 0


async def test_what_somebody_else_saved_is_as_unknown_as_what_nobody_did(
    db: database.Database, orders: Orders, wallet: Wallet
) -> None:
    wallet.saved[new_id(), METHOD] = "pm_of_ben"
    before = await counted(db)

    for method in (METHOD, new_id()):
        with pytest.raises(errors.DomainError) as refused:
            await orders.accepting.create(by_saved(new_id(), method))
        assert (refused.value.code, refused.value.reason) == (errors.Code.NOT_FOUND, "PAYMENT_METHOD_NOT_FOUND")

    assert await counted(db) == before


async def test_an_order_is_not_declined_but_asked_for_again_while_the_user_service_is_away(
    orders: Orders, wallet: Wallet
) -> None:
    ann = new_id()
    wallet.saved[ann, METHOD] = "pm_of_ann"
    wallet.away = True
    with pytest.raises(errors.DomainError) as away:
        await orders.accepting.create(by_saved(ann, request_id="r1"))
    assert away.value.code is errors.Code.UNAVAILABLE

    wallet.away = False
    placed = await orders.accepting.create(by_saved(ann, request_id="r1"))

    assert placed.order.payment_method == "pm_of_ann"


async def test_a_repeated_request_finds_its_order_though_its_method_was_deleted_meanwhile(
    orders: Orders, wallet: Wallet
) -> None:
    ann = new_id()
    wallet.saved[ann, METHOD] = "pm_of_ann"
    first = await orders.accepting.create(by_saved(ann, request_id="r1"))
    wallet.saved.clear()

    for wallet.away in (False, True):
        assert (await orders.accepting.create(by_saved(ann, request_id="r1"))).order.id == first.order.id


async def test_one_order_that_cannot_be_paid_so_does_not_hold_back_the_others(orders: Orders) -> None:
    unpaid = replace(by_saved(new_id()), unpayable=errors.not_found("PAYMENT_METHOD_NOT_FOUND", "no"))

    refused, accepted = await orders.accepting.accept([unpaid, draft(new_id())])

    assert isinstance(refused, errors.DomainError)
    assert isinstance(accepted, domain.Placed)
