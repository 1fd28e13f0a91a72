"""What cart reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """After how many seconds without a change carts expire, and after how many a user is reminded of one.

    reminder_lease_s is how many seconds a process may take to tell of carts before another tells of them too.
    """

    user_cart_s: int = env("CART_USER_S", default=90 * _DAY_S)
    guest_cart_s: int = env("CART_GUEST_S", default=14 * _DAY_S)
    reminder_s: float = env("CART_REMINDER_S", default=float(_DAY_S))
    reminder_lease_s: float = env("CART_REMINDER_LEASE_S", default=60.0)
