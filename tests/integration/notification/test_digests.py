"""Digests of low stock: one message for each vendor and day, of all that fell low, once whatever dies."""

import asyncio
from collections.abc import Mapping

import pytest

from services.chassis import database
from tests.integration.notification import mortal_digest
from tests.integration.notification.post_office import PostOffice, fell_low, new_id, registered
from tests.support import mails, mortal

DETAILS = database.Statement("SELECT details FROM notifications WHERE user_id = %(user)s AND template = 'low_stock'")
WISH = database.Statement("""
INSERT INTO preferences (user_id, choices, phone_number, push_endpoint) VALUES (%(user)s, '{"STOCK": []}', '', '')
""")


async def told(office: PostOffice, user: str) -> list[Mapping[str, int]]:
    """What each digest of a vendor says is left, by SKU."""
    rows = await office.db.read(DETAILS, {"user": user})
    return [{line["sku"]: line["available"] for line in details["lines"]} for (details,) in rows]


async def test_a_vendor_gets_one_mail_of_all_that_fell_low(office: PostOffice) -> None:
    ann, bob = new_id(), new_id()
    await office.hear(registered(ann, f"{ann}@example.com"), registered(bob, f"{bob}@example.com"))
    await office.hear(fell_low("POT", 4), fell_low("CUP", 2), fell_low("LAMP", 1), fell_low("OURS", 0))
    await office.digests({"POT": ann, "CUP": ann, "LAMP": bob}).work()
    await office.reach(ann, "SENT", "SENT")
    [mail] = [mail for mail in office.mails(f"{ann}@example.com") if "low" in str(mail["Subject"])]
    assert mail["Subject"] == "2 of your products are low in stock"
    assert "POT: 4 left, low below 5" in mails.text(mail)
    assert await told(office, bob) == [{"LAMP": 1}]


async def test_what_fell_low_is_told_once_and_with_what_was_left_the_last_time(idle_office: PostOffice) -> None:
    ann = new_id()
    await idle_office.hear(fell_low("POT", 4))
    await idle_office.hear(fell_low("POT", 1))
    digests = idle_office.digests({"POT": ann})
    assert [await digests.work(), await digests.work()] == [1, 0]
    assert await told(idle_office, ann) == [{"POT": 1}]


async def test_nobody_is_told_before_a_note_is_old_enough(idle_office: PostOffice) -> None:
    ann = new_id()
    await idle_office.hear(fell_low("POT", 4))
    assert await idle_office.digests({"POT": ann}, every_s=60).work() == 0
    assert await told(idle_office, ann) == []


async def test_two_workers_at_the_same_moment_tell_once(idle_office: PostOffice) -> None:
    ann = new_id()
    await idle_office.hear(*(fell_low(f"POT-{number}", 1) for number in range(20)))
    vendors = {f"POT-{number}": ann for number in range(20)}
    await asyncio.gather(*(idle_office.digests(vendors).work() for _ in range(4)))
    found = await told(idle_office, ann)
    assert sorted(sku for digest in found for sku in digest) == sorted(vendors)
    assert len(found) == 1


async def test_who_wants_no_word_of_stock_gets_none(idle_office: PostOffice) -> None:
    ann = new_id()
    await idle_office.db.read(WISH, {"user": ann})
    await idle_office.hear(fell_low("POT", 4))
    assert await idle_office.digests({"POT": ann}).work() == 1
    assert await told(idle_office, ann) == []


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_digest_that_died_at_its_commit_is_told_once(
    idle_office: PostOffice, database_url: str, point: str
) -> None:
    ann = new_id()
    await idle_office.hear(fell_low("POT", 4))
    mortal.dies(mortal_digest.MODULE, database_url, at=point, SKU="POT", VENDOR=ann)
    assert len(await told(idle_office, ann)) == (0 if point == mortal.WRITTEN else 1)
    await idle_office.digests({"POT": ann}).work()
    assert await told(idle_office, ann) == [{"POT": 4}]
