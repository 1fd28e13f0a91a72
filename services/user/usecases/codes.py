"""What a code of a second factor is worth, looked at and noted in the caller's transaction.

The factor is locked, so of two that send one code at the same moment one finds it used. A wrong code is noted too: whoever asks
commits before it refuses. If the process dies before the commit, the code still counts.
"""

import dataclasses
import logging

from services.chassis import clock, database
from services.user import recovery_codes, sealing
from services.user.domain import second_factors, security
from services.user.domain.second_factors import Verdict
from services.user.store import second_factors as factor_rows

_LOG = logging.getLogger(__name__)


class Codes:
    """Looks at codes. seal is what the secrets of authenticators are kept under."""

    def __init__(self, seal: sealing.Seal, *, now: clock.Clock) -> None:
        self.seal = seal
        self._now = now

    async def check(
        self, transaction: database.Transaction, user_id: str, code: str, *, trusted: bool = False
    ) -> Verdict:
        """What a code is worth for an account, which is locked or held. The code is used up, or counted as wrong."""
        factor = await factor_rows.lock(transaction, user_id)
        if factor is None or factor.enable_time is None:
            return Verdict.OFF
        if not second_factors.kept(code):
            return Verdict.MISSING
        sent = second_factors.Code(second_factors.kept(code), recovery_codes.digest(code), trusted)
        verdict, after = second_factors.judged(self._opened(factor, sent), sent, self._now())
        await factor_rows.write(transaction, after)
        if after.recovery != factor.recovery:
            transaction.emit([security.changed(user_id, security.Change.RECOVERY_CODE_USED, self._now())])
        if verdict is not Verdict.RIGHT:
            _LOG.warning("wrong code of a second factor", extra={"user_id": user_id, "verdict": verdict.name})
        return verdict

    def _opened(self, factor: second_factors.Factor, sent: second_factors.Code) -> second_factors.Factor:
        """The factor with its secret in the clear; a recovery code needs none, and counts also when the key is lost."""
        if sent.digest in factor.recovery:
            return factor
        return dataclasses.replace(factor, secret=self.seal.opened(factor.user_id, factor.secret))
