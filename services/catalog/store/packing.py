"""How units are packed, as it is kept in the rows of variants."""

import dataclasses
from collections.abc import Sequence

from psycopg.types.json import Jsonb

from services.catalog import domain


def row(package: domain.Package) -> Jsonb | None:
    """A package as it is kept: null where nothing of it is known."""
    return None if package == domain.UNKNOWN else Jsonb(dataclasses.astuple(package))


def package(packed: Sequence[int] | None) -> domain.Package:
    """The package that was kept so."""
    return domain.Package(*packed) if packed else domain.UNKNOWN
