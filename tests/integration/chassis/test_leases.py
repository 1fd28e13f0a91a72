"""Shards of a kind of work: shared fairly among those who are alive, and renewed with one question."""

from services.chassis import database
from services.chassis.outbox.leases import Shards

# Whose tables are used: any service with an outbox has them.
SERVICE = "inventory"
MEMBERS = database.Statement("SELECT count(*) FROM leases WHERE name LIKE 'parcels:member:%%'")


async def test_who_is_alone_owns_everything_and_knows_it_until_somebody_comes(db: database.Database) -> None:
    first, second = (Shards(db, "parcels", count=5, owner=owner) for owner in ("first", "second"))
    await first.join()
    assert not first.alone, "it has not looked yet"
    await first.renew()
    assert (first.alone, sorted(first.held)) == (True, [0, 1, 2, 3, 4])
    await second.renew()
    assert (second.alone, dict(second.held)) == (False, {}), "nothing is free yet"
    await first.renew()
    assert (first.alone, len(first.held)) == (False, 3), "what is above its share is given back"
    await second.renew()
    assert sorted([*first.held, *second.held]) == [0, 1, 2, 3, 4]
    assert (await db.read(MEMBERS)) == [(2,)]


async def test_who_leaves_leaves_everything_to_the_others(db: database.Database) -> None:
    first, second = (Shards(db, "letters", count=4, owner=owner) for owner in ("first", "second"))
    await first.join()
    await first.renew()
    await second.renew()
    await first.leave()
    await second.renew()
    assert (second.alone, sorted(second.held), dict(first.held)) == (True, [0, 1, 2, 3], {})


async def test_an_owner_whose_lease_ended_is_fenced_off_by_a_greater_epoch(db: database.Database) -> None:
    slow = Shards(db, "mails", count=1, owner="slow", lease_s=0.0)
    await slow.join()
    await slow.renew()
    before = slow.held[0]
    quick = Shards(db, "mails", count=1, owner="quick")
    await quick.renew()
    assert quick.held[0] > before
    await slow.renew()
    assert dict(slow.held) == {}
