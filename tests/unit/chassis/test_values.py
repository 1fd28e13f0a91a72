"""Money, ids, pages and settings: values without I/O."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors, ids, money, pages, settings
from services.chassis.money import Money

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])


@given(CURRENCIES, st.integers(-(10**12), 10**12))
def test_money_crosses_the_wire_and_comes_back_the_same(currency: str, amount: int) -> None:
    assert money.from_units(currency, *money.to_units(Money(currency, amount))) == Money(currency, amount)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_a_split_adds_up_and_is_off_by_less_than_one_unit_a_part(amount: int, weights: list[int]) -> None:
    parts = money.split(Money("USD", amount), weights)
    assert sum(part.amount for part in parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.amount * sum(weights) - amount * weight) < sum(weights)


@pytest.mark.parametrize(
    ("currency", "units", "nanos"),
    [("USD", 1, 5), ("USD", 1, -10_000_000), ("JPY", 1, 500_000_000), ("XXX", 1, 0), ("USD", 0, 10**9)],
)
def test_money_that_is_no_whole_minor_unit_is_refused(currency: str, units: int, nanos: int) -> None:
    with pytest.raises(errors.DomainError, match="MONEY_INVALID"):
        money.from_units(currency, units, nanos)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("XOF", 0), ("XCG", 2), ("HUF", 2), ("LYD", 3), ("UGX", 0), ("BGN", 2)],
)
def test_a_currency_has_the_minor_unit_of_the_standard(currency: str, digits: int) -> None:
    assert money.exponent(currency) == digits


@pytest.mark.parametrize(
    "code", ["XXX", "XTS", "XAU", "XDR", "CLF", "CHE", "USN", "UYW", "MGA", "MRU", "HRK", "usd", "EURO", ""]
)
def test_metals_funds_tests_fifths_and_what_is_no_currency_are_refused(code: str) -> None:
    with pytest.raises(errors.DomainError, match="MONEY_INVALID"):
        money.exponent(code)


def test_money_of_a_withdrawn_currency_is_read_and_no_new_price_is_set_in_it() -> None:
    assert money.from_units("BGN", 12, 500_000_000) == Money("BGN", 1250)
    with pytest.raises(errors.DomainError, match="withdrawn"):
        money.check_current("BGN")
    money.check_current("EUR")
    assert not money.WITHDRAWN.keys() & money.CURRENCIES.keys()


def test_all_currencies_of_people_are_there() -> None:
    assert len(money.CURRENCIES) > 150
    assert set(money.CURRENCIES.values()) == {0, 2, 3}


def test_dollars_and_euros_do_not_add_up() -> None:
    with pytest.raises(errors.DomainError, match="CURRENCY_MIXED"):
        money.total([Money("USD", 1), Money("EUR", 1)])


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    earlier, later = ids.new_id(NOW), ids.new_id(NOW + timedelta(milliseconds=1))
    assert uuid.UUID(earlier).version == 7
    assert uuid.UUID(earlier).variant == uuid.RFC_4122
    assert ids.floor(NOW) <= earlier < later
    assert ids.new_id(NOW - timedelta(milliseconds=1)) < ids.floor(NOW)


def test_an_id_says_when_it_was_made_unless_it_is_one_without_a_time() -> None:
    made = ids.moment(ids.new_id(NOW))
    assert made is not None
    assert timedelta() <= NOW - made < timedelta(milliseconds=1)
    assert ids.moment(str(uuid.uuid4())) is None


def test_what_happened_has_one_id_that_sorts_by_when_it_did() -> None:
    dated = ids.dated(NOW, "a")
    assert (dated, uuid.UUID(dated).version) == (ids.dated(NOW, "a"), 7)
    assert ids.moment(dated) == NOW.replace(microsecond=123000)
    assert len({dated, ids.dated(NOW, "b"), ids.dated(NOW + timedelta(microseconds=1), "a")}) == 3
    assert dated < ids.dated(NOW + timedelta(milliseconds=1), "a")


def test_pages_follow_each_other_to_the_end_without_gap_or_repetition() -> None:
    rows = [f"{number:02}" for number in range(7)]
    seen: list[str] = []
    after = ""
    while True:
        page = pages.Page(3, after)
        slice_ = pages.cut([row for row in rows if row > page.after][: page.size + 1], page, str)
        seen += slice_.rows
        after = slice_.next_after
        if not after:
            break
    assert seen == rows


def test_a_page_is_never_larger_than_the_largest() -> None:
    assert pages.size(10_000) == pages.MAX_SIZE
    assert pages.size(0) == pages.DEFAULT_SIZE


@dataclass(frozen=True, slots=True)
class Example:
    url: str = settings.env("{SERVICE}_URL", secret=True)
    seconds: float = settings.env("SECONDS", default=1.5)
    on: bool = settings.env("ON", default=False)


def test_settings_report_every_mistake_at_once() -> None:
    with pytest.raises(settings.SettingsError) as raised:
        settings.read(Example, {"SECONDS": "soon", "ON": "maybe"}, service="order")
    lines = str(raised.value).splitlines()
    assert [line.split()[0].rstrip(":") for line in lines] == ["ORDER_URL", "SECONDS", "ON"]


def test_a_setting_may_come_from_a_file_and_a_secret_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("secret\n")
    read = settings.read(Example, {"ORDER_URL_FILE": str(tmp_path / "url"), "ON": "true"}, service="order")
    assert (read.url, read.on) == ("secret", True)
    assert "secret" not in repr(read)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (money.Money("USD", 123450), "1234.50 USD"),
        (money.Money("USD", -5), "-0.05 USD"),
        (money.Money("JPY", 700), "700 JPY"),
        (money.Money("KWD", 1), "0.001 KWD"),
    ],
)
def test_an_amount_is_read_by_a_person(amount: money.Money, text: str) -> None:
    assert f"{amount}" == text
    assert f"{amount.decimal} {amount.currency}" == text
