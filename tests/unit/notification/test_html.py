"""The HTML of mails: nothing in it is fetched or run, no value becomes markup, and it says what the text says."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notification.domain import Language, Template
from tests.support import mails
from tests.unit.notification.test_letters import ANN, DETAILS, composed, notification

CANARY = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}'
# All that the layout and the parts of mails are made of.
TAGS = {"html", "head", "meta", "title", "body", "div", "p", "ul", "li", "br", "hr", "a"}
ATTRIBUTES = {"lang", "charset", "style", "href"}


class Seen(HTMLParser):
    """What a mail program would see: tags, attributes and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


def poisoned(value: object, text: str) -> object:
    """The details of a message with the text in every place that can hold one."""
    match value:
        case str():
            return text
        case list():
            return [poisoned(item, text) for item in value]
        case dict():
            return {name: poisoned(item, text) for name, item in value.items()}
        case _:
            return value


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", Template)
def test_no_value_becomes_markup_and_nothing_is_fetched(template: Template, language: Language) -> None:
    details = {name: poisoned(value, CANARY) for name, value in DETAILS[template].items() if name != "delivered"}
    message = notification(template, **details, language=language)
    seen = Seen(mails.html(composed(message, replace(ANN, display_name=CANARY))))
    assert seen.tags <= TAGS
    assert seen.attributes <= ATTRIBUTES
    assert seen.links == []
    assert CANARY in seen.words


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=200))
@example(text="</li></ul><script>")
@example(text="&lt;b&gt;")
@example(text="javascript:alert(1)")
def test_a_title_is_shown_as_it_is(text: str) -> None:
    lines = [{"quantity": 1, "title": text, "total": "1.00 USD"}]
    seen = Seen(mails.html(composed(notification(Template.ORDER_CONFIRMED, lines=lines))))
    assert seen.tags <= TAGS
    assert f"1 x {' '.join(text.split())}: $1.00" in seen.words


@pytest.mark.parametrize("template", Template)
def test_both_parts_say_the_same(template: Template) -> None:
    parsed = composed(notification(template))
    words = Seen(mails.html(parsed)).words.split()
    said = [word for word in mails.text(parsed).split() if not word.startswith("https://")]
    for word in said:
        assert word.rstrip(":") in " ".join(words)


def test_a_parcel_is_followed_by_a_link_that_leads_to_its_carrier_alone() -> None:
    seen = Seen(mails.html(composed(notification(Template.SHIPMENT_SENT))))
    assert seen.links == ["https://track.example/KE123456789?lang=en"]
    assert "https://track.example/KE123456789?lang=en" in mails.text(composed(notification(Template.SHIPMENT_SENT)))
    for url in ("javascript:alert(1)", "data:text/html,x", "https://a b"):
        assert Seen(mails.html(composed(notification(Template.SHIPMENT_SENT, tracking_url=url)))).links == []
