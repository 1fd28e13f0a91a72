"""The error budget as a gate: after a roll-out Prometheus is asked for a while how many calls fail.

Calls fail when the mesh is at fault: INTERNAL, UNKNOWN, UNAVAILABLE, DATA_LOSS, DEADLINE_EXCEEDED. What a caller got wrong
costs no budget. Not knowing is no yes: a Prometheus that does not answer, or has no figures, fails the gate too.
"""

import re
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, replace

import botocore.auth
import botocore.awsrequest
import botocore.session
import requests

from scripts.release import environments
from scripts.stack.supervise import problems

FAILED = "INTERNAL|UNKNOWN|UNAVAILABLE|DATA_LOSS|DEADLINE_EXCEEDED"
LOOK_EVERY_S = 15.0
TIMEOUT_S = 10.0
# How long after a call its count can be asked for, at the latest.
SEEN_S = 90.0
# How often in a row Prometheus may be away.
PATIENCE = 4
_MANAGED = re.compile(r"https://aps-workspaces\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(/|$)")


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls since the roll-out, and those of them that failed."""

    all: float
    failed: float

    @property
    def ratio(self) -> float:
        """The share that failed."""
        return self.failed / self.all if self.all else 0.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Prometheus by its HTTP API; raises OSError or ValueError when it does not answer as it should."""

    url: str
    namespace: str
    # Of Amazon's Prometheus, which takes requests that an AWS role has signed; empty for one that anybody may ask.
    region: str = ""
    # Whose calls count: a pattern for the names of pods; all of the namespace when empty.
    pods: str = ""

    @classmethod
    def at(cls, url: str, namespace: str, pods: str = "") -> "Prometheus":
        """The one at this address; on AWS as whoever this process is there."""
        managed = _MANAGED.match(url)
        return cls(url, namespace, managed["region"] if managed else "", pods)

    def calls(self, seconds: float) -> Calls:
        """The calls that all services answered in the last so many seconds."""
        chosen = f'namespace="{self.namespace}"' + (f',pod=~"{self.pods}"' if self.pods else "")
        window = f"[{max(1, round(seconds))}s]"
        everything = self._sum(f"sum(increase(souk_rpc_seconds_count{{{chosen}}}{window}))")
        failed = self._sum(f'sum(increase(souk_rpc_seconds_count{{{chosen},code=~"{FAILED}"}}{window}))')
        return Calls(everything, failed)

    def _signed(self, url: str) -> dict[str, str]:
        """The headers that say who asks. Raises a StackError where nobody is signed in."""
        if not self.region:
            return {}
        credentials = botocore.session.get_session().get_credentials()
        if credentials is None:
            raise problems.StackError(f"{self.url} is asked with an AWS role, and there are no credentials of one")
        request = botocore.awsrequest.AWSRequest(method="GET", url=url)
        botocore.auth.SigV4Auth(credentials, "aps", self.region).add_auth(request)
        return dict(request.headers.items())

    def _sum(self, query: str) -> float:
        url = f"{self.url.rstrip('/')}/api/v1/query?query={urllib.parse.quote(query, safe='')}"
        answer = requests.get(url, headers=self._signed(url), timeout=TIMEOUT_S)
        answer.raise_for_status()
        content = answer.json()
        if content.get("status") != "success":
            raise ValueError(f"Prometheus says {content.get('error', 'nothing')}")
        # No series is no failure: a code that nobody was answered with has none.
        return sum(float(series["value"][1]) for series in content["data"]["result"])


@dataclass(frozen=True, slots=True)
class Clock:
    """The time in seconds, and how to let some of it pass."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


def watch(
    prometheus: Prometheus,
    budget: environments.Budget,
    clock: Clock = Clock(),
    *,
    since_s: float = 0,
    order: Callable[[], None] | None = None,
) -> Calls:
    """Watch for the budget's seconds. Answers with the calls that were seen.

    A shop with too few calls is judged by synthetic orders: `order` places one, and raises a StackError unless it is
    confirmed. Of the calls that there were then, none too many may have failed either.

    Calls count from `since_s` seconds before it begins: those of the smoke check and of the load test are most of what a
    quiet environment has.

    Raises a StackError as soon as too many of enough calls failed, when there were not enough calls to tell, and when
    Prometheus stays away.
    """
    begun = clock.now()
    away = 0
    while True:
        clock.wait(min(LOOK_EVERY_S, budget.seconds))
        passed = clock.now() - begun
        try:
            seen = prometheus.calls(since_s + passed)
            away = 0
        except (OSError, ValueError, KeyError) as error:
            away += 1
            if away == PATIENCE or passed >= budget.seconds:
                raise problems.StackError(f"Prometheus does not tell ({error}): that is no yes") from None
            continue
        print(f"{passed:5.0f} s  {seen.all:8.0f} calls  {seen.failed:6.0f} failed  {seen.ratio:.4%}", flush=True)
        quiet = passed >= budget.seconds and seen.all < budget.calls
        if quiet and order and budget.orders:
            return _tried(prometheus, budget, clock, order, lambda: since_s + clock.now() - begun)
        _judge(seen, budget, final=passed >= budget.seconds)
        if passed >= budget.seconds:
            return seen


def _tried(
    prometheus: Prometheus,
    budget: environments.Budget,
    clock: Clock,
    order: Callable[[], None],
    since_s: Callable[[], float],
) -> Calls:
    print(f"too quiet to tell: {budget.orders} synthetic orders decide", flush=True)
    for _ in range(budget.orders):
        order()
    # What they did is scraped, and written to where it is asked for.
    clock.wait(SEEN_S)
    try:
        seen = prometheus.calls(since_s())
    except (OSError, ValueError, KeyError) as error:
        raise problems.StackError(f"Prometheus does not tell ({error}): that is no yes") from None
    if not seen.all:
        raise problems.StackError("no call was counted after synthetic orders: Prometheus watches something else")
    _judge(seen, replace(budget, calls=0), final=True)
    return seen


def _judge(seen: Calls, budget: environments.Budget, *, final: bool) -> None:
    enough = seen.all >= budget.calls
    if enough and seen.ratio > budget.ratio:
        raise problems.StackError(f"{seen.ratio:.2%} of {seen.all:.0f} calls failed, more than {budget.ratio:.2%}")
    if final and not enough:
        raise problems.StackError(
            f"only {seen.all:.0f} calls in {budget.seconds:.0f} s, fewer than {budget.calls}: nothing can be told"
        )
