"""What can be done with promotions, one module for each thing.

`administering`: promotions. `coding`: their codes. `quoting`: what items cost with them. `redeeming`: which orders use them.
`scheduling`: promotional prices.
"""

from dataclasses import dataclass
from typing import Protocol

from services.chassis import clock, database
from services.promotion.usecases import administering, coding, quoting, redeeming, scheduling

SERVICE = "promotion"


@dataclass(frozen=True, slots=True)
class Promotions:
    """The use cases of promotions, all on one database."""

    administering: administering.Administering
    coding: coding.Coding
    quoting: quoting.Quoting
    redeeming: redeeming.Redeeming
    scheduling: scheduling.Scheduling


class Shelves(quoting.Shelves, scheduling.Assortment, Protocol):
    """Where products are kept, as all use cases know it."""


def promotions(db: database.Database, shelves: Shelves, *, shop_zone: str, now: clock.Clock) -> Promotions:
    """The use cases on this database. shop_zone is the time zone of windows that name none."""
    return Promotions(
        administering.Administering(db, shop_zone=shop_zone, now=now),
        coding.Coding(db, now=now),
        quoting.Quoting(db, shelves, now=now),
        redeeming.Redeeming(),
        scheduling.Scheduling(db, shelves, shop_zone=shop_zone, now=now),
    )
