"""What every interface of a carrier has in common: what it is asked, and when its answer is none."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.shipping.domain import parcels


class NoAnswerError(Exception):
    """The carrier did not answer, or not so that it binds it: whether it did what it was asked is unknown."""


class Api(Protocol):
    """One interface of a carrier. Whatever has no definite answer raises NoAnswerError, or what aiohttp raises."""

    async def find(self, parcel: parcels.Parcel) -> parcels.Happening | None:
        """The definite answer, if what the parcel's state asks for happened already."""

    async def do(self, parcel: parcels.Parcel, *, grams: int) -> parcels.Happening:
        """Do what the parcel's state asks for. Again, under the same parcel's id, is as good as once. grams: its weight."""

    async def announce(self, references: Sequence[str]) -> None:
        """Tell the carrier that it was handed these labels' parcels."""

    async def scans(self, references: Sequence[str]) -> Mapping[str, Sequence[parcels.Scan]]:
        """What the carrier says of the ways of these labels' parcels so far, by label. Unknown labels are absent."""
