"""Page tokens on a real database: each counts for its own list, whoever signed it, and for nothing else."""

import base64
import json
import string
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import database, errors, ids, page_keys, pages
from services.chassis.rpc.page_tokens import ANYBODY, PageTokens
from souk.catalog.v1 import catalog_service_pb2
from souk.notification.v1 import notification_service_pb2
from souk.order.v1 import order_service_pb2
from tests.support import postgres

ANN, BOB = "01900000-0000-7000-8000-0000000000aa", "01900000-0000-7000-8000-0000000000bb"
ROW = "01900000-0000-7000-8000-000000000001"
AGE = database.Statement(
    "UPDATE page_keys SET create_time = create_time - make_interval(days => %(days)s) RETURNING id"
)
COUNT = database.Statement("SELECT count(*) FROM page_keys")


@pytest.fixture
def database_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "order") as url:
        yield url


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, {}) as opened:
        yield opened


@pytest.fixture
def tokens(db: database.Database) -> PageTokens:
    return PageTokens(db)


def orders(**fields: Any) -> Any:
    return order_service_pb2.ListOrdersRequest(**fields)


def products(**fields: Any) -> Any:
    return catalog_service_pb2.ListProductsRequest(**fields)


async def refused(tokens: PageTokens, request: Any, caller: str = ANN) -> errors.DomainError:
    with pytest.raises(errors.DomainError) as raised:
        await tokens.page(request, caller, key=ids.check)
    assert (raised.value.code, raised.value.reason) == (errors.Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    assert [violation.field for violation in raised.value.violations] == ["page_token"]
    return raised.value


async def test_a_token_counts_for_the_list_it_was_made_for_in_every_process(db: database.Database) -> None:
    token = await PageTokens(db).token(products(category="tea", page_size=3), ANYBODY, ROW)
    again = products(category="tea", page_size=50, page_token=token)
    assert await PageTokens(db).page(again, ANYBODY, key=ids.check) == pages.Page(50, ROW)
    assert len(token) <= 256, "the contract allows 512, and a longer one for longer keys"
    assert await PageTokens(db).token(products(), ANYBODY, "") == ""


async def test_a_token_counts_for_no_other_filter_method_or_caller(tokens: PageTokens) -> None:
    token = await tokens.token(products(category="tea"), ANYBODY, ROW)
    for other in (products(), products(category="pots"), products(category="tea", title_prefix="A")):
        other.page_token = token
        await refused(tokens, other, ANYBODY)
    own = await tokens.token(orders(), ANN, ROW)
    await refused(tokens, orders(page_token=own), BOB)
    await refused(tokens, notification_service_pb2.ListNotificationsRequest(page_token=own), ANN)
    assert (await tokens.page(orders(page_token=own), ANN)).after == ROW


async def test_a_token_of_another_service_is_refused(tokens: PageTokens, postgres_admin_url: str) -> None:
    with postgres.fresh_database(postgres_admin_url, "order") as url:
        async with postgres.opened(url, {}) as other:
            foreign = await PageTokens(other).token(orders(), ANN, ROW)
    await tokens.token(orders(), ANN, ROW)
    await refused(tokens, orders(page_token=foreign))


async def test_a_token_with_any_character_changed_added_or_left_out_is_refused(tokens: PageTokens) -> None:
    token = await tokens.token(orders(), ANN, ROW)
    for place in range(len(token)):
        for tampered in (
            token[:place] + token[place + 1 :],
            token[:place] + "!" + token[place:],
            token[:place] + "\n" + token[place:],
            token[:place] + string.ascii_letters[(string.ascii_letters + "=_").index("a") + place % 7] + token[place:],
            token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :],
        ):
            await refused(tokens, orders(page_token=tampered))
    for tampered in (token + "=", token.rstrip("=") + "==", " " + token):
        await refused(tokens, orders(page_token=tampered))


def told(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        *("nonsense", "é", "%%%", "e30=", "bnVsbA==", "x" * 512, told([1]), told({"after": 5}), told({"after": ROW})),
        told({"after": ROW, "key": 1}),
        told({"after": ROW, "key": 1, "mac": ""}),
        told({"after": ROW, "key": True, "mac": 5}),
        told({"after": ROW, "key": None, "mac": "x"}),
        told({"after": ROW, "key": 10**30, "mac": "x"}),
        told({"after": "\0", "key": 1, "mac": "x"}),
        told({"after": "\ud800", "key": 1, "mac": "x"}),
        base64.urlsafe_b64encode(b"[" * 300).decode(),
    ],
)
async def test_a_token_made_by_hand_is_refused(tokens: PageTokens, token: str) -> None:
    await tokens.token(orders(), ANN, ROW)
    await refused(tokens, orders(page_token=token))


async def test_a_signed_position_that_is_no_key_is_refused(tokens: PageTokens) -> None:
    await refused(tokens, orders(page_token=await tokens.token(orders(), ANN, "not-an-id")))


async def test_only_a_rollout_accepts_tokens_of_before_signatures(db: database.Database) -> None:
    before = told({"after": ROW})
    assert (await PageTokens(db, unsigned=True).page(orders(page_token=before), ANN)).after == ROW
    await refused(PageTokens(db), orders(page_token=before))
    half = told({"after": ROW, "key": 1})
    await refused(PageTokens(db, unsigned=True), orders(page_token=half))


async def test_the_release_before_reads_a_signed_token(tokens: PageTokens) -> None:
    token = await tokens.token(orders(), ANN, ROW)
    # As it was read before signatures.
    assert json.loads(base64.urlsafe_b64decode(token.encode("ascii")))["after"] == ROW


async def test_keys_are_made_once_rotated_and_forgotten_only_when_no_token_needs_them(db: database.Database) -> None:
    older, newer = PageTokens(db), PageTokens(db)
    token = await older.token(orders(), ANN, ROW)
    assert await page_keys.rotate(db) == 0
    assert await db.read(COUNT) == [(1,)]
    await db.read(AGE, {"days": 31})
    assert await page_keys.rotate(db) == 0
    assert await db.read(COUNT) == [(2,)]
    assert (await newer.page(orders(page_token=token), ANN)).after == ROW, "the key before still verifies"
    fresh = await newer.token(orders(), ANN, ROW)
    assert fresh != token
    older._keys._looked = 0
    assert (await older.page(orders(page_token=fresh), ANN)).after == ROW, "a key that is not known is looked for"
    await db.read(AGE, {"days": 7})
    assert await page_keys.rotate(db) == 1
    await refused(PageTokens(db), orders(page_token=token))
    assert (await PageTokens(db).page(orders(page_token=fresh), ANN)).after == ROW


async def test_made_up_key_names_do_not_make_a_query_each(
    db: database.Database, tokens: PageTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens.token(orders(), ANN, ROW)
    asked = []
    real = db.read

    async def read(*arguments: Any) -> list[database.Row]:
        asked.append(arguments)
        return await real(*arguments)

    monkeypatch.setattr(db, "read", read)
    for key in range(2, 200):
        await refused(tokens, orders(page_token=told({"after": ROW, "key": key, "mac": "x" * 22})))
    assert len(asked) <= 5, "at most one a second"
