"""What `make status` says of a release."""

import dataclasses

from scripts.operate import release, status

ROLLOUT = release.Rollout(
    name="souk-order-serve",
    wanted=2,
    ready=2,
    updated=2,
    available=2,
    observed=True,
    images=("registry.example/team/souk/services:1.4.0@sha256:0123456789abcdef",),
    zones={"eu-west-1b": 1, "eu-west-1a": 1},
    restarts=3,
)
WELL = status.Found(
    revision=release.Revision(7, "deployed"),
    rollouts=[ROLLOUT],
    autoscalers=[release.Autoscaler("souk-order-serve", 2, 12, 2, 4, ("cpu 130%/65%",))],
    budgets=[release.Budget("souk-order-serve", 2, 2, 1, 1)],
    jobs=[release.Job("souk-topics", "complete", 3.2)],
    warnings=[],
)


def test_a_release_is_shown_as_tables_and_a_verdict() -> None:
    assert status.render("souk", WELL).splitlines() == [
        "release souk, revision 7: deployed",
        "",
        "deployment        ready  zones                      restarts  image",
        "souk-order-serve  2/2    eu-west-1a:1 eu-west-1b:1  3         services:1.4.0@sha256:0123456789ab",
        "",
        "autoscaler        pods   bounds  metrics",
        "souk-order-serve  2 > 4  2-12    cpu 130%/65%",
        "",
        "disruption budget  healthy  needed  may go",
        "souk-order-serve   2/2      1       1",
        "",
        "job          state     took",
        "souk-topics  complete  3 s",
        "",
        "all is well",
    ]


def test_a_rollout_that_is_not_complete_and_a_failed_job_are_troubles() -> None:
    behind = dataclasses.replace(ROLLOUT, updated=1, available=1)
    failed = release.Job("souk-migrate-order", "failed", 12)
    revision = release.Revision(8, "failed")
    found = dataclasses.replace(WELL, revision=revision, rollouts=[behind], jobs=[failed])
    assert found.troubles == [
        "souk-order-serve: 1 of 2 available, 1 of the newest template",
        "job souk-migrate-order failed",
    ]
    assert "NOT WELL  job souk-migrate-order failed" in status.render("souk", found)


def test_a_job_that_failed_before_the_revision_that_is_deployed_is_history() -> None:
    failed = release.Job("souk-migrate-order", "failed", 12)
    assert dataclasses.replace(WELL, jobs=[failed]).troubles == []


def test_a_release_that_is_not_there_is_not_well() -> None:
    nothing = status.Found(release.Revision(), [], [], [], [], [])
    assert status.render("suok", nothing).startswith("release suok, revision 0: unknown")
    assert len(nothing.troubles) == 1


def test_the_newest_warnings_are_shown_and_the_others_counted() -> None:
    warnings = [release.Warned("Pod/a", "Failed", "it ended", 2, 30.0 + 60 * n) for n in range(status.WARNINGS + 3)]
    text = status.render("souk", dataclasses.replace(WELL, warnings=warnings))
    assert "30 s ago    Pod/a  Failed  2x     it ended" in text
    assert "... and 3 older" in text
