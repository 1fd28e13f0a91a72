"""What has to be there, wherever it is kept: the authority, and a certificate for every identity, none of them due."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from scripts.operate.mesh_certificates.authority import Authority, Pair
from services import registry

EDGE = "edge"
AUTHORITY = "mesh-ca"


class Keeper(Protocol):
    """Where certificates are kept."""

    def read(self, name: str) -> Pair | None:
        """The pair kept under a name (`mesh-ca`, `order-tls`), if there is one."""

    def write(self, name: str, pair: Pair, trusted: bytes) -> None:
        """Keep a pair and the authorities to trust beside it. A reader never sees half of it."""


def identities(chosen: Sequence[str]) -> tuple[str, ...]:
    """These identities, or all without a name: every service of the registry, and the edge. Raises UnknownServiceError."""
    if not chosen:
        return (*registry.load().services, EDGE)
    registry.load().choose([name for name in chosen if name != EDGE])
    return tuple(chosen)


def ensure(keeper: Keeper, wanted: Mapping[str, Sequence[str]], now: datetime) -> list[str]:
    """See to it that each identity (to its DNS names) has a certificate that is not due: the identities with a new one.

    An authority that is due is replaced, and everything it issued with it: connections between old and new
    certificates fail until both sides have read the new ones. That is once in years.
    """
    authority = _authority(keeper, now)
    made = []
    for identity, names in wanted.items():
        pair = keeper.read(f"{identity}-tls")
        if pair is None or pair.due(now) or not authority.issued(pair, identity, names):
            keeper.write(f"{identity}-tls", authority.issue(identity, names, now), authority.pair.certificate)
            made.append(identity)
    return made


def _authority(keeper: Keeper, now: datetime) -> Authority:
    kept = keeper.read(AUTHORITY)
    if kept and not kept.due(now):
        return Authority(kept)
    made = Authority.made(now)
    keeper.write(AUTHORITY, made.pair, made.pair.certificate)
    return made
