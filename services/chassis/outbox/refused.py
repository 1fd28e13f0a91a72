"""What an operator may do about events that the brokers refused: the command `python -m services refused`.

The relay sets such a row of the outbox aside with everything of its key behind it (`relay.py`). When the cause is gone the
whole key is sent again, in its order; a record that can never be published is discarded, and its key goes on. Both leave a
record of who did it, in one transaction with what they do.
"""

from services.chassis import database, operators

_LIST = database.Statement("""
SELECT event_id, topic, key, type, time, headers->>'refused' FROM outbox WHERE shard < 0 ORDER BY id LIMIT 1000
""")
# The key's rows have kept their ids, by which the relay reads: they go out in the order in which they were written.
_SEND_KEY = database.Statement("""
UPDATE outbox AS o SET shard = -1 - o.shard, headers = o.headers - 'refused'
FROM (SELECT topic, key FROM outbox WHERE event_id = %(event_id)s AND shard < 0) AS chosen
WHERE o.topic = chosen.topic AND o.key = chosen.key AND o.shard < 0
RETURNING o.event_id
""")
_DISCARD = database.Statement("DELETE FROM outbox WHERE event_id = %(event_id)s AND shard < 0 RETURNING topic, key")
_GO_ON = database.Statement("""
UPDATE outbox SET shard = -1 - shard, headers = headers - 'refused'
WHERE topic = %(topic)s AND key = %(key)s AND shard < 0
""")


async def listed(db: database.Database) -> list[database.Row]:
    """The refused events and those behind them, oldest first: id, topic, key, type, when it happened, why."""
    return await db.read(_LIST)


async def send(db: database.Database, event_id: str, *, actor: str) -> bool:
    """Send a refused event and all of its key again, in order, with a record of who said so. False when it is not there."""
    async with db.transaction() as transaction:
        sent = await transaction.run(_SEND_KEY, {"event_id": event_id})
        await operators.note(transaction, [row[0] for row in sent], action="send", actor=actor)
    return bool(sent)


async def discard(db: database.Database, event_id: str, *, actor: str) -> bool:
    """Give a refused event up for good, with a record of who said so; its key goes on. False when it is not there."""
    async with db.transaction() as transaction:
        gone = await transaction.run(_DISCARD, {"event_id": event_id})
        for topic, key in gone:
            await operators.note(transaction, [event_id], action="discard", actor=actor)
            await transaction.run(_GO_ON, {"topic": topic, "key": key})
    return bool(gone)


async def operate(database_url: str, action: str, event_id: str, *, actor: str) -> int:
    """What an operator asked for on the command line: a process exit code."""
    async with operators.database_of(database_url) as db:
        if action == "list":
            operators.show(await listed(db))
            return 0
        act = send if action == "send" else discard
        return 0 if await act(db, event_id, actor=actor) else 1
