"""`make status` for a cluster: a release as tables, and in the last line whether it is well."""

from dataclasses import dataclass

from scripts.operate import release, table

WARNINGS = 10
_MESSAGE = 90


@dataclass(frozen=True, slots=True)
class Found:
    """A release as it was at one moment."""

    revision: release.Revision
    rollouts: list[release.Rollout]
    autoscalers: list[release.Autoscaler]
    budgets: list[release.Budget]
    jobs: list[release.Job]
    warnings: list[release.Warned]

    @property
    def troubles(self) -> list[str]:
        """What is not as it should be, a line each. A release without deployments is one of them.

        A job that failed is history once a later revision is deployed; Helm leaves it there until the next attempt.
        """
        lines = [] if self.rollouts else ["it has no deployments: is the name right, and the namespace?"]
        lines += [
            f"{one.name}: {one.available} of {one.wanted} available, {one.updated} of the newest template"
            for one in self.rollouts
            if not one.complete
        ]
        if self.revision.status == "deployed":
            return lines
        return lines + [f"job {one.name} failed" for one in self.jobs if one.state == "failed"]


def look(of: release.Release) -> Found:
    """Read all of a release."""
    return Found(of.revision(), of.rollouts(), of.autoscalers(), of.budgets(), of.jobs(), of.warnings())


def render(name: str, found: Found) -> str:
    """What was found, for a person."""
    parts = [f"release {name}, revision {found.revision.number}: {found.revision.status}"]
    parts += [part for part in (_rollouts(found), _autoscalers(found), _budgets(found), _jobs(found)) if part]
    parts += [_warnings(found)] if found.warnings else []
    verdict = "\n".join(f"NOT WELL  {line}" for line in found.troubles) or "all is well"
    return "\n\n".join([*parts, verdict])


def _rollouts(found: Found) -> str:
    rows = [
        (one.name, f"{one.ready}/{one.wanted}", _spread(one), str(one.restarts), ", ".join(map(_short, one.images)))
        for one in found.rollouts
    ]
    return table.text(("deployment", "ready", "zones", "restarts", "image"), rows) if rows else ""


def _spread(one: release.Rollout) -> str:
    """Ready pods in each zone: `eu-west-1a:2 eu-west-1b:1`."""
    return " ".join(f"{zone}:{count}" for zone, count in sorted(one.zones.items())) or "-"


def _autoscalers(found: Found) -> str:
    rows = [(one.name, _pods(one), f"{one.least}-{one.most}", ", ".join(one.metrics)) for one in found.autoscalers]
    return table.text(("autoscaler", "pods", "bounds", "metrics"), rows) if rows else ""


def _pods(one: release.Autoscaler) -> str:
    """How many pods there are, and how many there are to be when that differs."""
    return str(one.current) if one.current == one.desired else f"{one.current} > {one.desired}"


def _budgets(found: Found) -> str:
    rows = [(one.name, f"{one.healthy}/{one.pods}", str(one.needed), str(one.allowed)) for one in found.budgets]
    return table.text(("disruption budget", "healthy", "needed", "may go"), rows) if rows else ""


def _jobs(found: Found) -> str:
    rows = [(one.name, one.state, f"{one.seconds:.0f} s") for one in found.jobs]
    return table.text(("job", "state", "took"), rows) if rows else ""


def _warnings(found: Found) -> str:
    rows = [
        (_age(one.age), one.about, one.reason, f"{one.times}x", one.message[:_MESSAGE])
        for one in found.warnings[:WARNINGS]
    ]
    text = table.text(("warned", "about", "reason", "times", "message"), rows)
    more = len(found.warnings) - len(rows)
    return f"{text}\n... and {more} older" if more else text


def _age(seconds: float) -> str:
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"


def _short(image: str) -> str:
    """An image without the registry's part of its name, and of a digest only what tells it from others."""
    name, at, digest = image.rpartition("/")[2].partition("@")
    return f"{name}{at}{digest[:19]}"
