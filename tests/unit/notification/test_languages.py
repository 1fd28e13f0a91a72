"""Languages: each says everything, with the same values in the same places, and writes amounts and days in its own way."""

import re
from datetime import UTC, datetime

import pytest
from babel.messages import catalog, pofile

from scripts.generate import catalogues
from services.notification import languages
from services.notification.domain import Language
from services.notification.languages import Tongue
from souk.notification.v1 import notification_service_pb2

PLACE = re.compile(r"%\((\w+)\)s")
TRANSLATED = [language for language in Language if language is not Language.EN]


def read(language: Language) -> catalog.Catalog:
    with (languages.LOCALE / language / "LC_MESSAGES" / "messages.po").open(encoding="utf-8") as file:
        return pofile.read_po(file, locale=language)


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_says_every_text_for_certain_with_the_same_values(language: Language) -> None:
    catalogue = read(language)
    known = {forms(message.id)[0]: message for message in catalogue if message.id}
    texts = list(catalogues.texts())
    assert len(texts) > 60
    for text in texts:
        message = known[forms(text)[0]]
        assert not message.fuzzy, text
        assert forms(message.string)
        for said in forms(message.string):
            assert said, text
            assert set(PLACE.findall(said)) == set(PLACE.findall(forms(text)[0])), said
            assert PLACE.sub("", said).count("%") == 0, said
    assert len(known) == len({forms(text)[0] for text in texts})


def test_there_is_a_catalogue_for_each_language_and_the_contract_names_them_all() -> None:
    assert sorted(path.name for path in languages.LOCALE.iterdir()) == sorted(TRANSLATED)
    said = notification_service_pb2.UpdatePreferencesRequest.DESCRIPTOR.fields_by_name["language"].GetOptions()
    assert all(f'"{language}"' in str(said) for language in Language)


@pytest.mark.parametrize(
    ("language", "amount", "written"),
    [
        (Language.EN, "1234.50 USD", "$1,234.50"),
        (Language.EN, "5.00 EUR", "€5.00"),
        (Language.EN, "700 JPY", "¥700"),
        (Language.EN, "1.234 KWD", "KWD1.234"),
        (Language.DE, "1234.50 USD", "1.234,50 $"),
        (Language.DE, "-19.99 EUR", "-19,99 €"),
        (Language.DE, "free", "free"),
        (Language.DE, "1.00 usd", "1.00 usd"),
    ],
)
def test_an_amount_is_written_as_the_language_does(language: Language, amount: str, written: str) -> None:
    assert " ".join(Tongue(language).money(amount).split()) == written


def test_a_day_is_written_as_the_language_does() -> None:
    day = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    assert Tongue(Language.EN).day(day) == "November 29, 2026"
    assert Tongue(Language.DE).day(day) == "29. November 2026"


def test_a_value_is_no_markup_in_html() -> None:
    said = Tongue(Language.DE).html["_"]("Hello %(name)s,", name="<b>Ann</b>")  # type: ignore[operator]  # it is called
    assert said == "Guten Tag &lt;b&gt;Ann&lt;/b&gt;,"
