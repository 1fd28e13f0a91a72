"""A process that writes payment's books beside the order path (DOES) and kills itself with SIGKILL at one commit."""

import asyncio
import os
from datetime import UTC, datetime

from services.chassis import clock, database
from services.payment import clients, events
from services.payment.domain import notices
from services.payment.usecases import reconciling, returning, webhooks
from tests.integration.payment import till as tills
from tests.support import mortal

MODULE = "tests.integration.payment.mortal_books"


def disputed(event_id: str, reference: str, state: str) -> notices.Notice:
    """An event about a dispute of a whole charge: the test and this process hear it in the same words."""
    told = notices.Dispute(f"dp_{reference}", notices.DisputeState(state), tills.PRICE.amount, "fraudulent")
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return notices.Notice("simulator", event_id, f"dispute.{state.lower()}", time, reference, news=told)


def failed(event_id: str, reference: str, call: str) -> notices.Notice:
    """An event about a refund that failed late, as above."""
    told, time = notices.RefundFailed(call, "expired_card"), datetime(2026, 1, 1, tzinfo=UTC)
    return notices.Notice("simulator", event_id, "refund.failed", time, reference, news=told)


def hearing(db: database.Database) -> webhooks.Webhooks:
    """Who hears the provider."""
    return webhooks.Webhooks(db, now=clock.utc_now, wake=lambda: None)


async def _do() -> None:
    environ = os.environ
    async with mortal.opened_to_die(events.PUBLISHED) as db:
        match environ["DOES"]:
            case "dispute":
                notice = disputed(environ["EVENT_ID"], environ["REFERENCE"], environ["STATE"])
                await hearing(db).receive(notice)
            case "refund":
                await hearing(db).receive(failed(environ["EVENT_ID"], environ["REFERENCE"], environ["CALL"]))
            case "begin":
                await returning.Returning(db, now=clock.utc_now, wake=lambda: None).begin()
            case "reconcile":
                provider = clients.Provider(tills.settings(environ["OUTSIDE_URL"], timeout_s=5.0))
                await provider.start()
                await reconciling.Reconciling(db, provider, now=clock.utc_now, every_s=0).run()


if __name__ == "__main__":
    asyncio.run(_do())
