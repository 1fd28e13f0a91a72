"""A canary: which programs are called in which order, what is judged after each step, and how it is taken back.

Helm, cosign, the AWS CLI and the command that shifts requests are stood in for.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml

from scripts.release import __main__ as release
from scripts.release import budget, canary, environments, record, shell
from scripts.stack.supervise import problems
from tests.deploy.jenkins.programs import Programs
from tests.deploy.jenkins.test_rollout import DIGESTS, REGISTRY, RELEASED, revisions

DEV = environments.read("dev", {})
PROD = replace(environments.read("prod", {"PAYMENT_METHOD_prod": "pm_of_ours"}), after="")
Words = tuple[str, ...]
LISTED: Words = ("helm", "list", "--namespace", "souk", "--all", "--short")
SHARE: Words = ("python", "-m", "scripts.cluster", "share", "--release", "souk", "--namespace", "souk")
TO_NONE = (*SHARE, "--to", "0")
NONE_YET = {SHARE: (0, "0\n", "")}
THERE = {LISTED: (0, "souk-canary\n", "")}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    made = Programs.made(tmp_path / "bin", ("aws", "cosign", "helm", "python"))
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SIGNING_KEY", "awskms:///alias/souk-release")
    monkeypatch.setattr("scripts.release.registry.sign_in", lambda *_: None)
    made.answer(NONE_YET)
    return made


@pytest.fixture
def run(tmp_path: Path, programs: Programs) -> shell.Shell:
    root = tmp_path / "root"
    (root / ".venv/bin").mkdir(parents=True)
    (root / ".venv/bin/python").symlink_to(programs.folder / "python")
    (root / ".souk/release").mkdir(parents=True)
    return shell.Shell(dry=False, root=root)


@dataclass(slots=True)
class Judge:
    """Judges well, but for the step that is refused; notes whose calls it was shown, and with what share."""

    programs: Programs
    refused: int = 0
    judged: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)

    def __call__(self, pods: str, order: Callable[[], None]) -> budget.Calls:
        del order
        self.judged.append(pods)
        self.shares.append(next(call[-1] for call in reversed(self.programs.calls) if "--to" in call))
        if len(self.judged) == self.refused:
            raise problems.StackError("3.00% of 200 calls failed, more than 1.44%")
        return budget.Calls(200, 1)


def done(programs: Programs) -> list[str]:
    """What was done to the cluster, in short: install, test, shares, uninstall."""
    words = {"upgrade": "install", "test": "test", "uninstall": "uninstall"}
    found = []
    for call in programs.calls:
        if call[0] == "helm" and call[1] in words:
            found.append(words[call[1]])
        elif "--to" in call:
            found.append(call[-1])
    return found


def test_each_step_is_judged_by_the_canarys_own_calls_before_the_next_is_taken(
    run: shell.Shell, programs: Programs
) -> None:
    judge = Judge(programs)
    assert "5 %, 25 %, 50 % of the requests" in canary.lead(run, PROD, RELEASED, judge)
    # An order of its own before anybody's requests.
    assert done(programs) == ["install", "test", "5", "25", "50"]
    assert judge.shares == ["5", "25", "50"]
    assert set(judge.judged) == {"souk-canary-.*"}
    first = next(call for call in programs.calls if call[0] != "cosign")
    assert first[:2] == ["aws", "eks"]


def test_it_is_the_signed_release_by_its_digests_with_nothing_but_edge_and_serve_sides(
    run: shell.Shell, programs: Programs
) -> None:
    canary.lead(run, PROD, RELEASED, Judge(programs))
    assert [call[1] for call in programs.calls if call[0] == "cosign"] == ["verify"] * (len(DIGESTS) + 1)
    (installed,) = [call for call in programs.calls if call[:2] == ["helm", "upgrade"]]
    assert installed[3:5] == ["souk-canary", f"oci://{REGISTRY}/souk/charts/souk"]
    assert {"--install", "--atomic", ".souk/cloud/prod/values.yaml"} <= set(installed)
    # What is the canary's own comes last, and so wins.
    assert installed[installed.index("--atomic") - 1] == ".souk/release/canary-prod.yaml"
    own = yaml.safe_load((run.root / ".souk/release/canary-prod.yaml").read_text())
    assert own["canary"] is True
    assert own["edge"]["ingress"] == {"enabled": False}
    assert own["smoke"] == {"paymentMethod": "pm_of_ours", "basket": ["COFFEE-250G:1"]}
    pinned = yaml.safe_load((run.root / ".souk/release/values-prod.yaml").read_text())["images"]
    assert {name: image["digest"] for name, image in pinned.items()} == DIGESTS


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_step_that_is_judged_badly_gives_all_requests_back_and_removes_it(
    run: shell.Shell, programs: Programs, step: int
) -> None:
    judge = Judge(programs, refused=step)
    programs.answer({**THERE, **NONE_YET})
    with pytest.raises(problems.StackError, match=r"3\.00% of 200 calls failed"):
        canary.lead(run, PROD, RELEASED, judge)
    # There was one before, and it was taken back too.
    assert done(programs) == ["0", "uninstall", "install", "test", *["5", "25", "50"][:step], "0", "uninstall"]


@pytest.mark.parametrize("failing", [("helm", "upgrade"), ("helm", "test"), (*SHARE, "--to", "25")])
def test_whatever_fails_nothing_of_it_stays(run: shell.Shell, programs: Programs, failing: tuple[str, ...]) -> None:
    programs.answer({failing: (1, "", "it does not work"), **THERE, **NONE_YET})
    with pytest.raises(problems.StackError, match="failed with exit code 1"):
        canary.lead(run, PROD, RELEASED, Judge(programs))
    assert done(programs)[-2:] == ["0", "uninstall"]


def test_requests_go_back_before_the_pods_do(run: shell.Shell, programs: Programs) -> None:
    programs.answer({TO_NONE: (1, "", "the cluster does not answer"), **THERE})
    with pytest.raises(problems.StackError, match="does not answer"):
        canary.Canary.of(run, PROD).take_back()
    assert "uninstall" not in done(programs)


def test_where_there_is_none_nothing_is_taken_back(run: shell.Shell, programs: Programs) -> None:
    assert not canary.Canary.of(run, PROD).take_back()
    assert done(programs) == []


def test_a_release_that_knows_no_canary_is_left_alone(run: shell.Shell, programs: Programs) -> None:
    programs.answer({SHARE: (0, "none\n", "")})
    assert "to everybody at once" in canary.lead(run, PROD, RELEASED, Judge(programs))
    assert done(programs) == []


def test_development_has_none(run: shell.Shell, programs: Programs) -> None:
    assert canary.lead(run, DEV, RELEASED, Judge(programs)) == "none in dev"
    assert programs.calls == []


def test_what_is_not_signed_has_no_canary(run: shell.Shell, programs: Programs) -> None:
    programs.answer({("cosign", "verify"): (1, "", "Error: no signatures found\n"), **NONE_YET})
    with pytest.raises(problems.StackError, match="cosign failed"):
        canary.lead(run, PROD, RELEASED, Judge(programs))
    assert done(programs) == []


@pytest.fixture
def prod(run: shell.Shell, monkeypatch: pytest.MonkeyPatch) -> shell.Shell:
    """An agent's environment in which the release is to go to prod."""
    for name, value in {"ENV": "prod", "PAYMENT_METHOD_prod": "pm_of_ours", "REGISTRY": REGISTRY}.items():
        monkeypatch.setenv(name, value)
    record.write(run.root, RELEASED)
    record.verified(run.root, "dev")
    monkeypatch.setattr("scripts.release.deploy.require_same_commit", lambda *_: None)
    return run


def test_a_roll_out_to_everybody_removes_it_and_a_roll_back_takes_it_back_first(
    prod: shell.Shell, programs: Programs
) -> None:
    there = {**THERE, **NONE_YET, **revisions((6, "superseded", ""), (7, "deployed", ""))}
    programs.answer(there)
    release.roll_out(prod)
    # The upgrade is of the release itself; its chart has put the weights back.
    assert done(programs) == ["install", "0", "uninstall"]
    programs.answer(there)
    release.roll_back(prod)
    assert done(programs)[-2:] == ["0", "uninstall"]
    assert done(programs).count("uninstall") == 2


def test_the_steps_of_an_environment_grow_and_leave_somebody_out(tmp_path: Path) -> None:
    known = yaml.safe_load(environments.FILE.read_text())
    for steps in ([50, 25], [0, 5], [5, 100], [5, 5]):
        known["prod"]["canary"] = {"steps": steps, "seconds": 1, "ratio": 0, "calls": 1}
        (tmp_path / "environments.yaml").write_text(yaml.safe_dump(known))
        with pytest.raises(problems.StackError, match="a canary's steps grow"):
            environments.read("prod", {}, tmp_path / "environments.yaml")


def test_the_chart_knows_the_canary_of_the_pipeline_by_name() -> None:
    values = yaml.safe_load((shell.ROOT / "helm/souk/values-aws.yaml").read_text())
    assert values["edge"]["ingress"]["canary"] == f"{PROD.release}-canary"
