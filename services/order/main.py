"""The order service, put together."""

from dataclasses import dataclass
from datetime import timedelta

from services import postal, signing_keys, wallets
from services.chassis import assembly, clock, database, erasure, loops, process, retention
from services.chassis.settings import read
from services.order import clients, events, rpc, saga, store
from services.order.domain import documents, totals
from services.order.settings import Settings
from services.order.store import notes, returns
from services.order.usecases import (
    Orders,
    accepting,
    advancing,
    discounting,
    invoicing,
    noting,
    pricing,
    reading,
    returning,
    searching,
    timer,
    watching,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the use cases go by: the clock, how long sagas wait and returns are taken, how many may watch, and who sells."""

    now: clock.Clock
    waits: saga.Waits
    limits: watching.Limits
    return_window: timedelta = timedelta(days=30)
    seller: documents.Seller = documents.Seller('{"name": "Souk"}')  # noqa: RUF009 - nobody changes it


def composed(
    db: database.Database, peers: accepting.Peers, terms: Terms, *, copy: database.Database | None = None
) -> Orders:
    """The use cases, put together. `copy` is one of the database, for lists."""
    old = reading.reads(db, copy)
    watched = watching.Watching(db, terms.limits)
    advanced = advancing.Advancing(db, watched.moved, now=terms.now, waits=terms.waits)
    accepts = accepting.Accepting(db, peers, now=terms.now, waits=terms.waits)
    return Orders(
        pricing=peers.prices,
        accepting=accepts,
        advancing=advanced,
        timer=timer.Timer(db, advanced, waits=terms.waits),
        reading=reading.Reading(db, old),
        watching=watched,
        noting=noting.Noting(db, now=terms.now),
        searching=searching.Searching(old),
        invoicing=invoicing.Invoicing(db, advanced, terms.seller),
        returning=returning.Returning(db, accepts.create, now=terms.now, window=terms.return_window),
    )


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the order service that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(store.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    prices = pricing.Pricing(
        catalog=clients.Catalog(service.peer("catalog", clients.CATALOG), age_s=settings.price_age_s),
        shipping=clients.Shipping(service.peer("shipping", clients.SHIPPING), age_s=settings.shipping_age_s),
        discounts=discounting.Discounting(
            clients.Promotions(service.peer("promotion", clients.PROMOTION), age_s=settings.promotion_age_s),
            reading.Reading(service.db),
        ),
        taxes=totals.Taxes(settings.tax_rates, settings.taxes_included),
        addresses=postal.Postal(),
        complete=settings.addresses_complete,
    )
    waits = saga.Waits(
        stock_s=settings.stock_deadline_s,
        payment_s=settings.payment_deadline_s,
        settlement_s=settings.settlement_deadline_s,
        compensation_s=settings.compensation_deadline_s,
        catch_up_s=settings.catch_up_s,
        delivery_s=settings.delivery_deadline_s,
        confirmation_s=settings.confirmation_deadline_s,
    )
    limits = watching.Limits(settings.watch_streams_per_caller, settings.watch_streams)
    terms = Terms(host.now, waits, limits, timedelta(days=settings.return_window_days), settings.seller)
    peers = accepting.Peers(prices, wallets.UserWallets(user))
    orders = composed(service.db, peers, terms, copy=service.replica)
    erasing = erasure.Erasure(service.db, [store.ERASE, notes.ERASE, returns.ERASE])
    gauges = retention.Gauges(service.db, store.SERVICE, reading.QUEUES)
    return service.parts(
        rpc.servicer(orders, service.page_tokens),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(orders, erasing)),
        serving=[orders.watching],
        working=[
            loops.Loop("order-timer", orders.timer.expire, loops.Pace(0.5, 1.0)),
            # Nobody waits for a number: the more get theirs at once, the less each costs.
            loops.Loop("order-documents", orders.invoicing.issue, loops.Pace(1.0, 2.0)),
            erasing,
            loops.Loop("order-gauges", gauges.work, loops.Pace(10)),
        ],
    )
