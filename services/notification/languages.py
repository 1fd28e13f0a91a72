"""The languages of messages: catalogues of translations (gettext), and how each writes amounts and days (CLDR, by Babel).

English is the language of the templates. The catalogues are text (`locale/<language>/LC_MESSAGES/messages.po`), read and compiled
when the process starts: nothing binary is kept that might be older than they are. What a catalogue lacks is said in English;
`tests/unit/notification/test_languages.py` lets none lack anything.
"""

import gettext
import io
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from babel import Locale, dates, numbers
from babel.messages import mofile, pofile
from markupsafe import Markup, escape

from services.notification.domain import Language

LOCALE = Path(__file__).parent / "locale"
# How many amounts are remembered as they were written: writing one costs as much as writing a paragraph.
REMEMBERED = 8192
_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,4})? [A-Z]{3}")
_NO_BREAK = str.maketrans("\u00a0\u202f", "  ")


class Tongue:
    """One language: what a text of the templates is in it, as plain text or as HTML, and how it writes values."""

    def __init__(self, language: Language) -> None:
        self.language = language
        catalogue = _catalogue(language)
        self.gettext, self.ngettext = catalogue.gettext, catalogue.ngettext
        self._locale = Locale.parse(language)
        # An amount as the language writes it: `1234.50 USD` becomes `$1,234.50`. What is none stays as it is.
        self.money = lru_cache(REMEMBERED)(self._money)
        # What templates call in plain text and in HTML, where a value can be no markup.
        self.plain: Mapping[str, object] = {"_": self._plain, "ngettext": self._plain_plural}
        self.html: Mapping[str, object] = {"_": self._html, "ngettext": self._html_plural}

    def day(self, time: datetime) -> str:
        """A day as the language writes it, for example `29 November 2026`."""
        return str(dates.format_date(time, "long", self._locale))

    def _money(self, amount: str) -> str:
        if not _AMOUNT.fullmatch(amount):
            return amount
        number, currency = amount.split(" ")
        # Spaces that do not break take a text message's shorter alphabet away.
        return str(numbers.format_currency(Decimal(number), currency, locale=self._locale)).translate(_NO_BREAK)

    def _plain(self, text: str, **values: object) -> str:
        return self.gettext(text) % values

    def _plain_plural(self, one: str, many: str, num: int, **values: object) -> str:
        return self.ngettext(one, many, num) % {"num": num, **values}

    def _html(self, text: str, **values: object) -> Markup:
        return Markup(self.gettext(text) % _escaped(values))  # noqa: S704 - the text is ours, and the values are escaped

    def _html_plural(self, one: str, many: str, num: int, **values: object) -> Markup:
        return Markup(self.ngettext(one, many, num) % _escaped({"num": num, **values}))  # noqa: S704 - the same


def _escaped(values: Mapping[str, object]) -> dict[str, Markup]:
    # What Markup's own `%` does, in a third of its time.
    return {name: escape(value) for name, value in values.items()}


def _catalogue(language: Language) -> gettext.NullTranslations:
    if language is Language.EN:
        return gettext.NullTranslations()
    with (LOCALE / language / "LC_MESSAGES" / "messages.po").open(encoding="utf-8") as file:
        catalogue = pofile.read_po(file, locale=language)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
