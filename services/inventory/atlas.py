"""The atlas as a file: where the countries of ISO 3166-1 and the regions of ISO 3166-2 are, to a tenth of a degree.

`places.csv` has a line for each country (without a region) and each region, by code and name, in degrees north and east. Where
it comes from is said in docs/decisions/040-an-address-is-a-point-on-the-globe.md.
"""

import csv
from pathlib import Path

from services.inventory import domain
from services.inventory.domain import nearness

FILE = Path(__file__).with_name("places.csv")


def read() -> nearness.Atlas:
    """All of it."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return nearness.Atlas(
            nearness.Known(
                line["country"],
                line["region"],
                line["name"],
                domain.Point(float(line["latitude"]), float(line["longitude"])),
            )
            for line in csv.DictReader(file)
        )
