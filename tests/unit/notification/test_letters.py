"""Letters: what their templates say, and that no value of a stranger's becomes a header or a line of its own."""

import email
import email.policy
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import jinja2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notification import clients, domain, text_messages, words
from services.notification.domain import Channel, Language, Template
from tests.support import mails

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
# What Apple and Google take.
MOST_PUSH_BYTES = 4096
ORDER = str(uuid.uuid4())
DETAILS: dict[Template, dict[str, object]] = {
    Template.WELCOME: {},
    Template.ORDER_CONFIRMED: {
        "order_id": ORDER,
        "total": "42.00 USD",
        "lines": [
            {"quantity": 2, "title": "Teapot", "total": "40.00 USD"},
            {"quantity": 1, "title": "Cup", "total": "2.00 USD"},
        ],
    },
    Template.ORDER_CANCELLED: {"order_id": ORDER, "reason": "CANCEL_REQUESTED", "because": "you asked us to"},
    Template.SHIPMENT_SENT: {
        "order_id": ORDER,
        "lines": [{"quantity": 2, "sku": "POT"}],
        "carrier": "Kestrel",
        "tracking_number": "KE123456789",
        "tracking_url": "https://track.example/KE123456789?lang=en",
        "complete": True,
    },
    Template.SHIPMENT_DELIVERED: {"order_id": ORDER, "delivered": "2026-11-29T12:00:00Z", "complete": True},
    Template.SHIPMENT_NOT_DELIVERED: {
        "order_id": ORDER,
        "tracking_number": "KE123456789",
        "tracking_url": "https://track.example/KE123456789",
    },
    Template.SHIPMENT_UNDELIVERABLE: {"order_id": ORDER, "cause_code": "RETURNED"},
    Template.PAYMENT_REFUNDED: {"order_id": ORDER, "amount": "42.00 USD"},
    Template.PAYMENT_PARTLY_REFUNDED: {"order_id": ORDER, "amount": "2.00 USD", "refunded": "12.00 USD"},
    Template.PAYMENT_ACTION_REQUIRED: {"order_id": ORDER, "amount": "42.00 USD"},
    Template.RETURN_REQUESTED: {"order_id": ORDER},
    Template.RETURN_APPROVED: {"order_id": ORDER, "lines": [{"quantity": 2, "sku": "POT"}]},
    Template.RETURN_REJECTED: {"order_id": ORDER},
    Template.RETURN_RECEIVED: {"order_id": ORDER},
    Template.RETURN_INSPECTED: {"order_id": ORDER, "amount": "20.00 USD"},
    Template.RETURN_LABELLED: {
        "order_id": ORDER,
        "carrier": "DHL",
        "label_url": "https://carrier.example/label.pdf",
        "lines": [{"quantity": 2, "sku": "POT"}],
    },
    Template.SECURITY_CHANGED: {
        "change_code": "SIGN_IN_LINK_ADDED",
        "provider": "google",
        "changed": "2026-11-21 10:00 UTC",
    },
    Template.VENDOR_APPROVED: {},
    Template.VENDOR_REJECTED: {},
    Template.CART_REMINDER: {"total": "40.00 USD", "lines": [{"quantity": 2, "title": "Teapot", "total": "40.00 USD"}]},
    Template.LOW_STOCK: {
        "count": 3,
        "more": 2,
        "lines": [{"quantity": 1, "sku": "POT", "available": 2, "threshold": 5}],
    },
    Template.MESSAGE: {"subject": "Closed on Monday", "lines": ["We move.", "Back on Tuesday."]},
}
ANN = domain.Contact(str(uuid.uuid4()), "ann@example.com", "Ann", email_verified=True)
TEMPLATES = words.Templates()


def notification(template: Template, **details: object) -> domain.Notification:
    told = DETAILS[template] | details
    letter = domain.Letter(ANN.user_id, template, ORDER, told)
    subject = TEMPLATES.subject(letter, Language(str(told.get("language", Language.EN))))
    return domain.Notification(str(uuid.uuid4()), ANN.user_id, template, ORDER, subject, told, NOW)


def composed(message: domain.Notification, contact: domain.Contact = ANN) -> EmailMessage:
    date = "Sat, 21 Nov 2026 10:00:00 +0000"
    mail = TEMPLATES.mail(message, contact)
    raw = clients.compose(message, mail, clients.Envelope("no-reply@souk.test", contact.email, date))
    return email.message_from_bytes(raw, policy=email.policy.default)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", Template)
def test_every_template_makes_a_whole_message(template: Template, language: Language) -> None:
    message = notification(template, language=language)
    parsed = composed(message)
    assert parsed.defects == []
    assert parsed["Message-ID"] == f"<{message.id}@souk.test>"
    assert (parsed["To"], parsed["From"]) == ("ann@example.com", "Souk <no-reply@souk.test>")
    assert parsed["Subject"] == message.subject
    assert parsed.get_content_type() == "multipart/alternative"
    assert mails.text(parsed).startswith({"en": "Hello Ann,\n\n", "de": "Guten Tag Ann,\n\n"}[language])
    assert "\n\n\n" not in mails.text(parsed)
    assert "{" not in mails.text(parsed)
    assert mails.text(parsed).endswith("\n\nSouk\n")


def test_a_confirmed_order_lists_what_was_bought() -> None:
    text = mails.text(composed(notification(Template.ORDER_CONFIRMED)))
    assert "\n  2 x Teapot: $40.00\n  1 x Cup: $2.00\n\nTotal: $42.00\n" in text


def test_a_confirmed_order_is_counted_for_an_address_that_nobody_verified() -> None:
    text = mails.text(composed(notification(Template.ORDER_CONFIRMED), replace(ANN, email_verified=False)))
    assert text.startswith("Hello,\n")
    assert "\nNumber of items: 3 (your account lists them)\n\nTotal: $42.00\n" in text
    assert "Teapot" not in text


def test_a_reminder_lists_what_is_in_the_cart_to_who_proved_to_read_there() -> None:
    reminder = notification(Template.CART_REMINDER)
    assert "\n  2 x Teapot: $40.00\n\nTotal: $40.00\n" in mails.text(composed(reminder))
    text = mails.text(composed(reminder, replace(ANN, email_verified=False)))
    assert "\nNumber of items: 2 (your cart lists them)\n\nTotal: $40.00\n" in text
    assert "Teapot" not in text
    assert "Total" not in mails.text(composed(notification(Template.CART_REMINDER, total="")))


def test_a_cancelled_order_says_why_in_words() -> None:
    text = mails.text(composed(notification(Template.ORDER_CANCELLED)))
    assert f"Your order {ORDER} was cancelled because you asked us to." in text


@pytest.mark.parametrize("channel", Channel)
def test_a_refund_of_the_rest_says_its_step_and_the_sum(channel: Channel) -> None:
    rest = replace(notification(Template.PAYMENT_REFUNDED, amount="15.00 USD", refunded="20.00 USD"), channel=channel)
    assert "$15.00 now, $20.00 in all" in TEMPLATES.body(rest, ANN)
    part = notification(Template.PAYMENT_PARTLY_REFUNDED, amount="5.00 USD", refunded="7.00 USD")
    assert "$5.00 now, $7.00 in all" in TEMPLATES.body(replace(part, channel=channel), ANN)


@pytest.mark.parametrize("channel", Channel)
def test_a_refund_of_everything_at_once_says_one_amount(channel: Channel) -> None:
    whole = notification(Template.PAYMENT_REFUNDED, amount="20.00 USD", refunded="20.00 USD")
    text = TEMPLATES.body(replace(whole, channel=channel), ANN)
    assert "we refunded $20.00" in text.replace("have ", "").replace("We", "we")
    assert "in all" not in text


@pytest.mark.parametrize("channel", Channel)
def test_a_refund_that_was_queued_without_its_step_says_the_sum(channel: Channel) -> None:
    old = replace(notification(Template.PAYMENT_REFUNDED), channel=channel)
    assert "$42.00 in all" in TEMPLATES.body(old, ANN)


def test_a_person_without_a_name_is_greeted_all_the_same() -> None:
    text = mails.text(composed(notification(Template.WELCOME), replace(ANN, display_name=" ")))
    assert text.startswith("Hello,\n")


def test_a_detail_that_is_missing_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(jinja2.UndefinedError):
        TEMPLATES.subject(domain.Letter(ANN.user_id, Template.ORDER_CONFIRMED, ORDER, {}))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
@example("x\r\nBcc: everybody@example.com")
@example("\r\n\r\nA body of my own")
@example("\u2028Bcc: everybody@example.com")
@example("Žluťoučký kůň")
@example("a" * 5000)
def test_no_value_becomes_a_header_or_a_line_of_its_own(text: str) -> None:
    lines = [{"quantity": 1, "title": text, "total": "1.00 USD"}]
    message = notification(Template.ORDER_CONFIRMED, order_id=text, lines=lines)
    parsed = composed(message, replace(ANN, display_name=text))
    assert parsed.keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    assert len([line for line in mails.text(parsed).split("\n") if line.startswith("  1 x ")]) == 1


@pytest.mark.parametrize("template", Template)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.PUSH])
def test_every_template_makes_a_short_text_of_one_line(template: Template, channel: Channel) -> None:
    text = TEMPLATES.body(replace(notification(template), channel=channel), ANN)
    assert 10 < len(text) <= 160
    assert text == " ".join(text.split())
    assert "{" not in text


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.PUSH])
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=2000))
@example(text="a" * 5000)
def test_a_short_text_stays_short_and_on_its_line(channel: Channel, text: str) -> None:
    said = TEMPLATES.body(
        replace(notification(Template.MESSAGE, subject="News", lines=text.splitlines()), channel=channel), ANN
    )
    assert len(said) <= words.MOST_SHORT[channel]
    assert said == " ".join(said.split())


def test_a_push_message_fits_into_what_devices_take_whatever_it_says() -> None:
    subject, lines = "\U0001f4e6" * 200, ["\U0001f4e6" * 5000]
    pushed = replace(notification(Template.MESSAGE, subject=subject, lines=lines), channel=Channel.PUSH)
    sent = json.loads(text_messages.payload(pushed, TEMPLATES.body(pushed, ANN)))
    assert all(len(content.encode()) < MOST_PUSH_BYTES for content in sent.values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@example.com>",
        "ann@example.com\r\nBcc: bob@example.com",
        "ann @example.com",
        "ann@exa mple.com",
        "ann@example.com, bob@example.com",
        "Ann <ann@example.com>",
        "ann@-example.com",
        "änn@example.com",
        "ann@example.com\n",
    ],
)
def test_what_does_not_look_like_one_address_is_none(text: str) -> None:
    assert not clients.is_address(text)


@pytest.mark.parametrize("text", ["ann@example.com", "a.b+c@mail.example.co.uk", "o'neil@example.com"])
def test_an_address_is_one(text: str) -> None:
    assert clients.is_address(text)


def test_a_digest_names_skus_and_numbers_to_whoever_proved_to_read_it() -> None:
    text = mails.text(composed(notification(Template.LOW_STOCK)))
    assert "POT: 2 left, low below 5" in text
    assert "and 2 more" in text
    stranger = mails.text(composed(notification(Template.LOW_STOCK), replace(ANN, email_verified=False)))
    assert "left of 3 of your products" in stranger
    assert "POT" not in stranger
    assert notification(Template.LOW_STOCK).subject == "3 of your products are low in stock"
    assert notification(Template.LOW_STOCK, count=1).subject == "1 of your products is low in stock"
