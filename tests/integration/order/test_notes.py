"""Notes on orders: who writes and who sees them, once for each request, and no more than an order may have."""

import asyncio
from dataclasses import replace

import pytest

from services.chassis import database, errors, pages
from services.order import saga
from services.order.domain import notes
from services.order.usecases import Orders
from tests.integration.order import ordering

STAFF = None
ALL = pages.Page(100)


async def an_order(orders: Orders) -> tuple[str, str]:
    """The id of a new order, and whose it is."""
    user_id = ordering.new_id()
    return (await orders.accepting.create(ordering.draft(user_id))).order.id, user_id


def saying(text: str, order_id: str, author_id: str) -> notes.Draft:
    return notes.Draft(order_id, author_id, internal=False, text=text, request_id="", fingerprint=b"")


async def texts(orders: Orders, order_id: str, owner_id: str | None) -> list[str]:
    return [note.text for note in (await orders.noting.list(order_id, ALL, owner_id=owner_id)).rows]


async def test_a_customer_sees_what_both_write_and_nothing_internal(orders: Orders) -> None:
    order_id, customer = await an_order(orders)
    clerk = ordering.new_id()
    await orders.noting.add(saying("Ring twice.", order_id, customer), owner_id=customer)
    await orders.noting.add(replace(saying("A regular.", order_id, clerk), internal=True), owner_id=STAFF)
    answered = await orders.noting.add(saying("We will.", order_id, clerk), owner_id=STAFF)
    assert answered.by_staff
    assert await texts(orders, order_id, customer) == ["Ring twice.", "We will."]
    assert await texts(orders, order_id, STAFF) == ["Ring twice.", "A regular.", "We will."]


async def test_a_stranger_neither_writes_nor_reads(orders: Orders) -> None:
    order_id, _ = await an_order(orders)
    stranger = ordering.new_id()
    with pytest.raises(errors.DomainError, match="does not exist"):
        await orders.noting.add(saying("Mine?", order_id, stranger), owner_id=stranger)
    with pytest.raises(errors.DomainError, match="does not exist"):
        await orders.noting.list(order_id, ALL, owner_id=stranger)


async def test_a_note_says_behind_which_entry_of_the_history_it_was_written(
    db: database.Database, orders: Orders
) -> None:
    order_id, customer = await an_order(orders)
    first = await orders.noting.add(saying("Early.", order_id, customer), owner_id=customer)
    await ordering.give(db, orders, saga.Event(order_id, saga.Reply.STOCK_RESERVED, "inventory"))
    second = await orders.noting.add(saying("Late.", order_id, customer), owner_id=customer)
    assert (first.after_sequence, second.after_sequence) == (1, 2)


async def test_a_repeated_request_is_one_note_and_another_with_its_id_is_refused(orders: Orders) -> None:
    order_id, customer = await an_order(orders)
    asked = replace(saying("Once.", order_id, customer), request_id=ordering.new_id(), fingerprint=b"a")
    made = await asyncio.gather(*(orders.noting.add(asked, owner_id=customer) for _ in range(5)))
    assert len(set(made)) == 1
    assert await texts(orders, order_id, customer) == ["Once."]
    with pytest.raises(errors.DomainError, match="already used"):
        await orders.noting.add(replace(asked, fingerprint=b"b"), owner_id=customer)


async def test_an_order_takes_no_more_notes_than_it_may_have_also_from_many_at_once(orders: Orders) -> None:
    order_id, customer = await an_order(orders)
    writing = (orders.noting.add(saying(str(n), order_id, customer), owner_id=customer) for n in range(notes.MOST + 5))
    answers = await asyncio.gather(*writing, return_exceptions=True)
    refused = [answer.reason for answer in answers if isinstance(answer, errors.DomainError)]
    assert refused == ["NOTES_FULL"] * 5
    assert len(await texts(orders, order_id, customer)) == notes.MOST


async def test_pages_go_on_where_the_last_one_ended(orders: Orders) -> None:
    order_id, customer = await an_order(orders)
    for number in range(5):
        await orders.noting.add(saying(str(number), order_id, customer), owner_id=customer)
    first = await orders.noting.list(order_id, pages.Page(3), owner_id=customer)
    rest = await orders.noting.list(order_id, pages.Page(3, first.next_after), owner_id=customer)
    assert [note.text for note in (*first.rows, *rest.rows)] == list("01234")
    assert not rest.next_after
