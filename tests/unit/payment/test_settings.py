"""What the payment service reads from the environment."""

from services.chassis import settings
from services.payment.settings import Settings


def test_a_lease_outlives_the_two_calls_that_it_covers() -> None:
    chosen = settings.read(Settings, {"PAYMENT_PROVIDER_URL": "http://127.0.0.1:1", "PAYMENT_PROVIDER_TIMEOUT_S": "5"})
    assert chosen.lease_s > 2 * chosen.provider_timeout_s
