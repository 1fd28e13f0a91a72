"""The smoke check after a deployment: the roll-out is complete, the edge is well, and an order goes all the way."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from scripts.operate import edge, first_order, first_return, release, table

ROLLOUT_S = 600.0
_POLL_S = 0.5
_ANSWER_S = 5.0


class NotWellError(Exception):
    """What is not as it should be, in one line."""


class Report(Protocol):
    """Tells whoever waits how far it is."""

    def say(self, part: str, text: str) -> None:
        """Tell one thing about a part."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked: `passed`, `failed` or `skipped`, what was seen, and how many seconds it took."""

    name: str
    result: str
    seen: str
    seconds: float


def check(
    of: release.Release, edge_url: str, wish: first_order.Wish, report: Report, *, rollout_s: float = ROLLOUT_S
) -> list[Step]:
    """Do it all, and stop at what fails. Without an edge URL only the roll-out is checked."""
    rolled_out = _step("roll-out", lambda: _rollout(of, rollout_s, report))
    if edge_url and rolled_out.result == "passed":
        return [rolled_out, *through_edge(edge_url, wish)]
    why = "no edge URL was given" if not edge_url else "something before it failed"
    return [rolled_out, Step("edge", "skipped", why, 0), Step("order", "skipped", why, 0)]


def through_edge(url: str, wish: first_order.Wish) -> list[Step]:
    """What is seen from outside: the edge answers, and an order goes all the way."""
    answered = _step("edge", lambda: _edge(url))
    if answered.result == "failed":
        return [answered, Step("order", "skipped", "something before it failed", 0)]
    return [answered, _step("order", lambda: _order(url, wish))]


def render(steps: list[Step]) -> str:
    """The steps as a table."""
    rows = [(step.name, step.result, f"{step.seconds:.1f} s", step.seen) for step in steps]
    return table.text(("check", "result", "took", "what was seen"), rows)


def await_rollout(of: release.Release, within_s: float, report: Report) -> list[release.Rollout]:
    """Wait until every deployment of the release is complete: how they are then. Raises a NotWellError when it takes longer."""
    until = time.monotonic() + within_s
    told = ""
    while True:
        rollouts = of.rollouts()
        waiting = [f"{one.name} {min(one.available, one.updated)}/{one.wanted}" for one in rollouts if not one.complete]
        if rollouts and not waiting:
            return rollouts
        now = ", ".join(waiting) or "no deployments yet"
        if time.monotonic() > until:
            raise NotWellError(f"not rolled out after {within_s:.0f} s: {now}")
        if now != told:
            report.say("waiting for", now)
            told = now
        time.sleep(_POLL_S)


def _step(name: str, look: Callable[[], str]) -> Step:
    started = time.monotonic()
    try:
        seen, result = look(), "passed"
    except (NotWellError, first_order.Disappointed, edge.EdgeError) as failure:
        seen, result = str(failure), "failed"
    return Step(name, result, seen, time.monotonic() - started)


def _rollout(of: release.Release, within_s: float, report: Report) -> str:
    rollouts = await_rollout(of, within_s, report)
    revision = of.revision()
    if revision.status == "failed":
        failed = [job.name for job in of.jobs() if job.state == "failed"]
        raise NotWellError(f"revision {revision.number} failed; failed jobs: {', '.join(failed) or 'none'}")
    pods = sum(one.ready for one in rollouts)
    return f"revision {revision.number} {revision.status}: {len(rollouts)} deployments, {pods} pods ready"


def _edge(url: str) -> str:
    try:
        answered = httpx.get(f"{url}/healthz", timeout=_ANSWER_S, trust_env=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotWellError(f"{url}/healthz does not answer: {error}") from error
    if answered != 200:
        raise NotWellError(f"{url}/healthz does not answer 200")
    return f"{url} answers"


def _order(url: str, wish: first_order.Wish) -> str:
    asyncio.run(first_order.place_first_order(first_return.Shop(url), wish))
    return f"an order was {wish.expect}, and its message was sent"
