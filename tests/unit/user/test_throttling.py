"""How often sign-ins may fail: the rule alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.user import domain
from services.user.domain import throttling
from services.user.domain.throttling import Whose

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def fresh(whose: Whose) -> throttling.Failures:
    return throttling.Failures(whose, b"k" * 32, 0, NOW, NOW)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (9, 0), (10, 30), (11, 60), (12, 120), (14, 480), (15, 900), (5000, 900)]
)
def test_after_the_free_ones_the_wait_doubles_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert throttling.wait_after(failures, 10) == timedelta(seconds=seconds)


def test_a_known_network_is_counted_for_the_pair_alone_and_another_for_the_account_and_for_itself() -> None:
    def whose(network: str, *, known: bool) -> set[Whose]:
        return set(throttling.keys("ann@example.com", network, known=known).values())

    assert whose("192.0.2.7", known=True) == {Whose.KNOWN}
    assert whose("192.0.2.7", known=False) == {Whose.ACCOUNT, Whose.NETWORK}
    assert whose("", known=False) == {Whose.ACCOUNT}


def test_no_key_is_another_ones() -> None:
    found = [
        *throttling.keys("ann", "192.0.2.7", known=False),
        *throttling.keys("ann", "192.0.2.7", known=True),
        *throttling.keys("192.0.2.7", "ann", known=False),
        *throttling.keys("ann", "192.0.2.70", known=True),
    ]
    assert len(found) == len(set(found)) == 6


@given(st.lists(st.integers(0, 3 * 86_400), max_size=200), st.sampled_from(Whose))
def test_however_tries_are_spaced_no_more_get_through_in_a_day_than_the_rule_allows(
    pauses: list[int], whose: Whose
) -> None:
    now, counted, through = NOW, fresh(whose), []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if throttling.refusal([counted], now) is None:
            counted = throttling.tried(counted, now)
            through.append(now)
    for start in through:
        within = [moment for moment in through if start <= moment < start + DAY]
        # The free ones, five waits that grow, one each quarter of an hour; and those that were free again once.
        assert len(within) <= 2 * throttling.FREE_TRIES[whose] + 5 + 96


def test_who_waits_until_all_is_forgotten_has_fewer_tries_than_who_goes_on() -> None:
    a_day_of_waiting = DAY / throttling.LONGEST_WAIT
    assert throttling.FREE_TRIES[Whose.ACCOUNT] < a_day_of_waiting


def test_a_refusal_says_how_long_the_longest_wait_is() -> None:
    waiting = [
        throttling.Failures(Whose.ACCOUNT, b"", 11, NOW + timedelta(seconds=wait), NOW + DAY) for wait in (7, 60)
    ]
    refused = throttling.refusal(waiting, NOW)
    assert refused is not None
    assert (refused.code, refused.reason) == (errors.Code.RESOURCE_EXHAUSTED, "SIGN_IN_THROTTLED")
    assert refused.retry_after_s == 60
    assert throttling.refusal(waiting, NOW + timedelta(seconds=60)) is None


def test_while_tries_are_free_nobody_waits_whatever_another_clock_says() -> None:
    ahead = throttling.Failures(Whose.ACCOUNT, b"", 9, NOW + timedelta(seconds=2), NOW + DAY)
    assert throttling.refusal([ahead], NOW) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("somewhere", "somewhere"),
    ],
)
def test_a_household_of_ipv6_is_one_network(address: str, network: str) -> None:
    assert domain.Origin(address).network == network
