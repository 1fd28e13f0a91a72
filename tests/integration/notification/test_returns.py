"""What becomes of a return, and that a bank waits, is told: each step once, in the language of whoever waits for it."""

from typing import Any

from services.chassis.money import Money
from services.chassis.rpc import render
from services.notification import domain, usecases
from services.notification.domain import Language
from souk.order.v1 import return_events_pb2
from souk.payment.v1 import payment_events_pb2
from tests.integration.notification.post_office import PRICE, PostOffice, cancelled, new_id, registered
from tests.support import mails


def steps(order: str, user: str, *, due: int = 2000) -> list[Any]:
    """All that becomes of a return that is taken back, in turn."""
    back: dict[str, Any] = {"return_id": new_id(), "order_id": order, "user_id": user}
    line = return_events_pb2.ReturnApproved.Line(sku="POT", quantity=2)
    amount = render.money_message(Money("USD", due))
    return [
        return_events_pb2.ReturnRequested(**back),
        return_events_pb2.ReturnApproved(**back, lines=[line]),
        return_events_pb2.ReturnReceived(**back, warehouse="main"),
        return_events_pb2.ReturnInspected(**back, refund_amount=amount),
    ]


async def told(office: PostOffice, user: str, events: list[Any]) -> dict[str, str]:
    """The texts of the mails about these events, each of which is heard twice, by their subjects."""
    await office.hear(registered(user, f"{user}@example.com"))
    for event in events:
        await office.hear(event)
        await office.hear(event)
    await office.reach(user, *["SENT"] * (len(events) + 1))
    return {str(mail["Subject"]): mails.text(mail) for mail in office.mails(f"{user}@example.com")}


async def test_every_step_of_a_return_is_told_once(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    texts = await told(office, user, steps(order, user))
    assert (
        "Please send nothing back before we do."
        in texts[f"We have your wish to return something of your order {order}"]
    )
    assert "  2 x POT\n" in texts[f"You may return something of your order {order}"]
    assert "We inspect it" in texts[f"What you returned of your order {order} has arrived"]
    assert "You get back $20.00." in texts[f"We have inspected what you returned of your order {order}"]


async def test_a_return_of_which_nothing_is_due_promises_no_money(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    *_, inspected = steps(order, user, due=0)
    texts = await told(office, user, [inspected])
    text = texts[f"We have inspected what you returned of your order {order}"]
    assert "There is nothing to refund for it." in text
    assert "$" not in text


async def test_a_return_that_is_rejected_leads_to_where_the_reason_stands(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    rejected = return_events_pb2.ReturnRejected(return_id=new_id(), order_id=order, user_id=user, reason="It was used.")
    texts = await told(office, user, [rejected])
    text = texts[f"Your return for your order {order} was rejected"]
    assert "Your account shows why: sign in to the shop and open the return there." in text
    assert "used" not in text


async def test_who_reads_german_is_told_of_a_return_in_german(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    await usecases.Preferences(office.db).update(user, domain.PreferencesChange(language=Language.DE))
    texts = await told(office, user, steps(order, user))
    text = texts[f"Wir haben geprüft, was Sie aus Ihrer Bestellung {order} zurückgesandt haben"]
    assert "Sie bekommen 20,00 $ zurück." in text


async def test_who_has_to_confirm_a_payment_is_told_where_once(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    wanted = payment_events_pb2.PaymentActionRequired(order_id=order, payment_id=new_id(), user_id=user, amount=PRICE)
    texts = await told(office, user, [wanted])
    text = texts[f"Please confirm the payment of your order {order}"]
    assert f"confirm the payment of $42.00 for your order {order}." in text
    assert "Sign in to the shop and open the order there" in text
    # Where to confirm is known to the shop, and to who signs in there; mail is read by others too.
    assert "http" not in text


async def test_who_did_not_confirm_in_time_reads_that(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    texts = await told(office, user, [cancelled(order, user, "CONFIRMATION_TIMEOUT")])
    assert "because you did not confirm the payment in time." in texts[f"Your order {order} was cancelled"]
