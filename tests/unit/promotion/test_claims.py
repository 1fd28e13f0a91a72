"""Which orders may use promotions."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.chassis import money
from services.promotion.domain import codes, promotions, redemptions
from services.promotion.domain.promotions import Refusal
from tests.unit.promotion.makers import NOW, promotion, usd

TEN_PERCENT = promotions.Percentage(1000)


def promised(promotion_id: str, code: str = "", version: int = 1, discount: int = 100) -> redemptions.Promised:
    return redemptions.Promised(promotion_id, version, code, usd(discount))


def wish(order_id: str, *items: redemptions.Promised, user_id: str = "ann") -> redemptions.Wish:
    return redemptions.Wish(order_id, user_id, NOW, items)


def counts(*known: promotions.Promotion, known_codes: tuple[codes.Code, ...] = ()) -> redemptions.Counts:
    return redemptions.Counts({one.id: one for one in known}, {code.code: code for code in known_codes}, {})


def reasons(refused: dict[str, tuple[redemptions.Refused, ...]]) -> dict[str, list[Refusal]]:
    return {order_id: [item.reason for item in items] for order_id, items in refused.items()}


def test_what_is_granted_to_one_order_is_not_there_for_the_next() -> None:
    known = counts(promotion(TEN_PERCENT, most_uses=2))
    refused = redemptions.claim([wish(order, promised("p")) for order in ("1", "2", "3")], known)
    assert reasons(refused) == {"3": [Refusal.LIMIT_REACHED]}


def test_a_customer_has_no_more_than_their_share_and_others_have_theirs() -> None:
    known = counts(promotion(TEN_PERCENT, most_uses_per_customer=1))
    wishes = [wish("1", promised("p")), wish("2", promised("p")), wish("3", promised("p"), user_id="bob")]
    assert reasons(redemptions.claim(wishes, known)) == {"2": [Refusal.CUSTOMER_LIMIT_REACHED]}


def test_an_order_gets_all_of_its_promotions_or_none() -> None:
    full = replace(promotion(TEN_PERCENT, "full", most_uses=1), uses=1)
    known = counts(full, promotion(TEN_PERCENT, most_uses=1))
    wishes = [wish("1", promised("p"), promised("full")), wish("2", promised("p"))]
    assert reasons(redemptions.claim(wishes, known)) == {"1": [Refusal.LIMIT_REACHED]}


def test_a_code_is_used_as_often_as_it_may_be_and_belongs_to_its_promotion() -> None:
    sale = promotion(TEN_PERCENT, automatic=False)
    once = codes.Code("ONCE", "p", "b", 1)
    other = codes.Code("OTHER", "q", "b", 0)
    known = counts(sale, known_codes=(once, other))
    wishes = [wish(code + str(n), promised("p", code)) for n in range(2) for code in ("ONCE", "OTHER", "NONE", "")]
    assert reasons(redemptions.claim(wishes, known)) == {
        "ONCE1": [Refusal.CODE_USED],
        **{code + n: [Refusal.CODE_UNKNOWN] for code in ("OTHER", "NONE", "") for n in "01"},
    }


def test_a_discount_counts_only_by_the_terms_that_promised_it() -> None:
    amount = promotion(promotions.FixedAmount(usd(100)), "amount")
    known = counts(promotion(TEN_PERCENT), amount)
    wishes = [
        wish("old", promised("p", version=2)),
        wish("nothing", promised("p", discount=0)),
        wish("more", promised("amount", discount=101)),
        wish("all", promised("amount", discount=100)),
        wish("foreign", redemptions.Promised("amount", 1, "", money.Money("EUR", 100))),
        wish("twice", promised("p"), promised("p")),
        wish("unknown", promised("nowhere")),
    ]
    assert reasons(redemptions.claim(wishes, known)) == {
        **{order: [Refusal.PROMOTION_CHANGED] for order in ("old", "nothing", "more", "foreign")},
        "twice": [Refusal.PROMOTION_REPEATED],
        "unknown": [Refusal.CODE_UNKNOWN],
    }


def test_an_order_that_was_placed_before_the_end_is_granted_after_it() -> None:
    sale = replace(promotion(TEN_PERCENT), end_time=NOW)
    before = replace(wish("before", promised("p")), placed=NOW - timedelta(seconds=1))
    refused = redemptions.claim([before, wish("after", promised("p"))], counts(sale))
    assert reasons(refused) == {"after": [Refusal.ENDED]}


def test_rows_say_what_became_of_each_promotion_once() -> None:
    twice = wish("1", promised("p"), promised("p"), promised("q"))
    refused = redemptions.claim([twice], counts(promotion(TEN_PERCENT), promotion(TEN_PERCENT, "q")))["1"]
    uses = redemptions.uses_of(twice, refused)
    assert [(use.promotion_id, use.status, use.refusal) for use in uses] == [
        ("p", redemptions.Status.REFUSED, "PROMOTION_REPEATED"),
        ("q", redemptions.Status.REFUSED, ""),
    ]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("pq")), max_size=40),
    st.integers(1, 10),
    st.integers(0, 4),
)
def test_limits_hold_and_nobody_is_refused_while_there_is_something_left(
    orders: list[tuple[str, str]], most: int, per_customer: int
) -> None:
    known = counts(*(promotion(TEN_PERCENT, one, most_uses=most, most_uses_per_customer=per_customer) for one in "pq"))
    wishes = [wish(str(n), promised(one), user_id=user) for n, (user, one) in enumerate(orders)]
    refused = redemptions.claim(wishes, known)
    for one in "pq":
        granted = [
            item.user_id for item in wishes if item.promised[0].promotion_id == one and item.order_id not in refused
        ]
        asked = [user for user, other in orders if other == one]
        share = {user: min(asked.count(user), per_customer or len(orders)) for user in "abc"}
        assert len(granted) == min(most, sum(share.values()))
        assert all(granted.count(user) <= share[user] for user in "abc")
