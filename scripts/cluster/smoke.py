"""The smoke check after a deployment: the roll-out is complete, the edge is well, and an order goes all the way."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from scripts import edge, first_order, table
from scripts.cluster import release
from scripts.local import health, problems, progress

ROLLOUT_S = 600.0
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked: `passed`, `failed` or `skipped`, what was seen, and how many seconds it took."""

    name: str
    result: str
    seen: str
    seconds: float


def check(of: release.Release, edge_url: str, wish: first_order.Wish, *, rollout_s: float = ROLLOUT_S) -> list[Step]:
    """Do it all, and stop at what fails. Without an edge URL only the roll-out is checked."""
    report = progress.Progress()
    # What the steps need is there only when those before it passed.
    checks: list[tuple[str, Callable[[], str]]] = [("roll-out", lambda: _rollout(of, rollout_s, report))]
    if edge_url:
        checks += [("edge", lambda: _edge(edge_url)), ("order", lambda: _order(edge_url, wish))]
    steps: list[Step] = []
    for name, look in checks:
        steps.append(_step(name, look))
        if steps[-1].result == "failed":
            break
    done = {step.name for step in steps}
    why = "no edge URL was given" if not edge_url else "something before it failed"
    return steps + [Step(name, "skipped", why, 0) for name in ("edge", "order") if name not in done]


def render(steps: list[Step]) -> str:
    """The steps as a table."""
    rows = [(step.name, step.result, f"{step.seconds:.1f} s", step.seen) for step in steps]
    return table.text(("check", "result", "took", "what was seen"), rows)


def await_rollout(of: release.Release, within_s: float, report: progress.Progress) -> list[release.Rollout]:
    """Wait until every deployment of the release is complete: how they are then. Raises a StackError when it takes longer."""
    until = time.monotonic() + within_s
    told = ""
    while True:
        rollouts = of.rollouts()
        waiting = [f"{one.name} {min(one.available, one.updated)}/{one.wanted}" for one in rollouts if not one.complete]
        if rollouts and not waiting:
            return rollouts
        now = ", ".join(waiting) or "no deployments yet"
        if time.monotonic() > until:
            raise problems.StackError(f"not rolled out after {within_s:.0f} s: {now}")
        if now != told:
            report.say("waiting for", now)
            told = now
        time.sleep(_POLL_S)


def _step(name: str, look: Callable[[], str]) -> Step:
    started = time.monotonic()
    try:
        seen, result = look(), "passed"
    except (problems.StackError, first_order.Disappointed, edge.EdgeError) as failure:
        seen, result = str(failure), "failed"
    return Step(name, result, seen, time.monotonic() - started)


def _rollout(of: release.Release, within_s: float, report: progress.Progress) -> str:
    rollouts = await_rollout(of, within_s, report)
    revision = of.revision()
    if revision.status == "failed":
        failed = [job.name for job in of.jobs() if job.state == "failed"]
        raise problems.StackError(f"revision {revision.number} failed; failed jobs: {', '.join(failed) or 'none'}")
    pods = sum(one.ready for one in rollouts)
    return f"revision {revision.number} {revision.status}: {len(rollouts)} deployments, {pods} pods ready"


def _edge(url: str) -> str:
    if not health.http(f"{url}/healthz"):
        raise problems.StackError(f"{url}/healthz does not answer 200")
    return f"{url} answers"


def _order(url: str, wish: first_order.Wish) -> str:
    asyncio.run(first_order.place_first_order(first_order.Settings(url, ""), wish))
    return f"an order was {wish.expect}, and its message was sent"
