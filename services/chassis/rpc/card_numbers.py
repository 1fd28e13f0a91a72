"""Numbers of payment cards do not come in: not in any text of any request, wherever somebody typed one.

Souk never needs one (a payment method is the provider's token), and whoever stores one falls under PCI DSS. So what looks
like one is refused before any service sees it: 12 to 19 digits, perhaps grouped, that begin as cards do (2 to 6) and fulfil
Luhn's check. One number in ten fulfils that by chance, so what is known to be something else is passed over: UUIDs and
digests, phone numbers with their +, and the 12 or 13 digits of a bar code (EAN, UPC), which have a check of their own.

The usual request costs one search in its bytes. Only one that holds so many digits is looked into, text by text.
"""

import re
import unicodedata
from collections.abc import Iterator

from google.protobuf.message import Message

from services.chassis import errors
from services.chassis.rpc import texts

RULE = "string.card_number"
SAID = "must not contain the number of a payment card"

SHORTEST, LONGEST = 12, 19
# A request with that many is no mistake, and its answer must stay small.
MOST_VIOLATIONS = 20
# A text that holds so many long numbers is refused without looking at the rest.
MOST_NUMBERS = 500

_SEPARATOR = r"[\s\-._/\u00ad\u200b-\u200f\u2010-\u2015\u2060\ufeff]"
# All digits that stand together, however they are grouped.
_TOGETHER = re.compile(rf"(?<![+\d])\d(?:{_SEPARATOR}{{0,3}}\d){{{SHORTEST - 1},}}")
# Groups as cards have them, also when more digits stand beside: how long it is valid, or the code on its back. Each shape
# is looked for at every place, as what one match would swallow may be the beginning of another.
_GROUPED = [
    re.compile(rf"(?<![+\d])(?=({(_SEPARATOR + '{1,3}').join(rf'[0-9]{{{size}}}' for size in shape)})(?!\d))")
    for shape in ((4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4))
]
_ALONE = re.compile(rf"(?<![+\d])(\d{{{SHORTEST},{LONGEST}}})(?!\d)")
_NO_DIGIT = re.compile(r"\D+")
_SOMETHING_ELSE = re.compile(
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"  # a UUID
    r"|\b(?=\d*[a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})\b"  # a digest
    r"|\+\d[\d\s\-./()]{6,20}",  # a phone number
    re.IGNORECASE,
)
# The same in bytes, wider and many times quicker than an expression: what may stand between digits is left out, and every
# digit is a 0. Digits beyond ASCII begin with one of few bytes, which texts in Latin, Greek, Cyrillic or Han have hardly any of.
_ZEROS = bytes.maketrans(b"0123456789", b"0" * 10)
_BETWEEN = b" \t\r\n-._/" + bytes(range(0x80, 0x100))
_OTHER_THAN_FIRST = bytes(set(range(0x100)) - {0xD9, 0xDB, 0xDF, 0xE0, 0xE1, 0xEA, 0xEF, 0xF0})


def violations(request: Message, sent: bytes) -> list[errors.Violation]:
    """A violation for each text of the request that holds a card number. sent is the request as bytes. It is never quoted."""
    if not _worth_a_look(sent):
        return []
    found = []
    for path, text in texts.of(request):
        if holds_one(text):
            found.append(errors.Violation(path, SAID, RULE))
            if len(found) == MOST_VIOLATIONS:
                break
    return found


def _worth_a_look(sent: bytes) -> bool:
    if b"0" * SHORTEST in sent.translate(_ZEROS, _BETWEEN):
        return True
    return not sent.isascii() and len(sent.translate(None, _OTHER_THAN_FIRST)) >= SHORTEST


def holds_one(text: str) -> bool:
    """Whether a text holds the number of a card, in digits of whatever script, grouped or not."""
    usual = text if text.isascii() else _in_usual_digits(text)
    if not _TOGETHER.search(usual):
        return False
    usual = _SOMETHING_ELSE.sub("\0", usual)
    return any(_is_card(number) or tried == MOST_NUMBERS for tried, number in enumerate(_numbers(usual), 1))


def _in_usual_digits(text: str) -> str:
    usual = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in usual)


def _numbers(text: str) -> Iterator[str]:
    """Whatever may be meant as one number of a fitting length."""
    for shape in (_ALONE, *_GROUPED):
        for match in shape.finditer(text):
            yield _NO_DIGIT.sub("", match[1])
    for match in _TOGETHER.finditer(text):
        number = _NO_DIGIT.sub("", match[0])
        if len(number) <= LONGEST:
            yield number


def _is_card(number: str) -> bool:
    return number[0] in "23456" and _luhn(number) and not _bar_code(number)


def _luhn(number: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2]]
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


def _bar_code(number: str) -> bool:
    """Whether it is a GTIN of 12 or 13 digits. Cards of that length are hardly issued any more."""
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(number)))
    return len(number) in (12, 13) and weighted % 10 == 0
