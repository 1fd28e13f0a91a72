"""What the order service reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env
from services.order.domain import documents, rates


@dataclass(frozen=True, slots=True)
class Settings:
    """The deadlines of the saga's steps, in seconds, the limits of WatchOrder streams, and what comes on top of prices.

    The deadlines of stock, payment and confirmation together are shorter than inventory's reservation (1200 s).

    An order without a payment method waits for one as long as it would wait for the payment.
    """

    stock_deadline_s: float = env("ORDER_STOCK_DEADLINE_S", default=120.0)
    payment_deadline_s: float = env("ORDER_PAYMENT_DEADLINE_S", default=450.0)
    # How long customers may take to confirm a payment with their bank, from when that is asked for.
    confirmation_deadline_s: float = env("ORDER_CONFIRMATION_DEADLINE_S", default=600.0)
    settlement_deadline_s: float = env("ORDER_SETTLEMENT_DEADLINE_S", default=60.0)
    compensation_deadline_s: float = env("ORDER_COMPENSATION_DEADLINE_S", default=15.0)
    # After how long shipping is asked again about an order whose parcels are on their way.
    delivery_deadline_s: float = env("ORDER_DELIVERY_DEADLINE_S", default=86_400.0)
    # How many streams of WatchOrder may be open at once: of one caller in one process, and in one process in all.
    watch_streams_per_caller: int = env("ORDER_WATCH_STREAMS_PER_CALLER", default=10)
    watch_streams: int = env("ORDER_WATCH_STREAMS", default=1000)
    # After the service had no worker for a while, or its database was restored, no order times out sooner than this.
    catch_up_s: float = env("ORDER_CATCH_UP_S", default=30.0)
    # How long a price from the catalog is cached: a changed price applies to new orders this much later at most.
    price_age_s: float = env("ORDER_PRICE_AGE_S", default=1.0)
    # How long it is remembered that no promotion needs no code: one that begins applies to orders this much later at most.
    promotion_age_s: float = env("ORDER_PROMOTION_AGE_S", default=1.0)
    # Tax rates by place and tax class, as JSON (see `domain/rates.py`). Without them there are no taxes.
    tax_rates: rates.TaxRates = env("ORDER_TAX_RATES", default=rates.TaxRates("{}"))  # noqa: RUF009 - nobody changes it
    # How old the table of shipping rates may be: new rates apply to orders this much later at most, while shipping answers.
    shipping_age_s: float = env("ORDER_SHIPPING_AGE_S", default=1.0)
    # Whether an address that lacks what its country needs, such as a postal code, is refused as a wrong one is.
    addresses_complete: bool = env("ORDER_ADDRESSES_COMPLETE", default=False)
    # Whether the catalog's prices, and those of shipping, contain the taxes.
    taxes_included: bool = env("ORDER_TAXES_INCLUDED", default=False)
    # Who sells, as invoices say it: JSON of name, address (a list of lines) and tax_id.
    seller: documents.Seller = env("ORDER_SELLER", default=documents.Seller('{"name": "Souk"}'))  # noqa: RUF009 - nobody changes it
    # For how many days after its delivery an order may be returned.
    return_window_days: float = env("ORDER_RETURN_WINDOW_DAYS", default=30.0)
