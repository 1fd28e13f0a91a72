"""What a release's pipeline must do and must not do, each as a rule over builds that the harness has evaluated."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from scripts.release import jenkins

Json = dict[str, Any]
ACCOUNTS = {"AWS_ACCOUNT_shared": "111111111111", "AWS_ACCOUNT_dev": "222222222222", "AWS_ACCOUNT_prod": "333333333333"}
BRANCH = {"BRANCH_NAME": "more-tea"}
CHANGE = {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7", "CHANGE_TARGET": "main"}
MAIN = {"BRANCH_NAME": "main"}
RELEASE = {"BRANCH_NAME": "v1.4.0", "TAG_NAME": "v1.4.0"}
OTHER_TAG = {"BRANCH_NAME": "nightly-7", "TAG_NAME": "nightly-7"}
INSIDE = {"branch": BRANCH, "change": CHANGE, "tag that is no release": OTHER_TAG}
SECRETS = {"souk-aws-token": "planted-token-5f1c", "souk-notify-webhook": "https://chat.example/planted-webhook-93ab"}
PLANS = {name: f".souk/cloud/{name}/plan.txt" for name in ("dev", "prod")}
NO_CHANGES = dict.fromkeys(PLANS.values(), "No changes. Your infrastructure matches the configuration.")
CHANGES = dict.fromkeys(PLANS.values(), "Plan: 1 to add, 0 to change, 0 to destroy.")

CHECKS = ("make version", "make lint", "make breaking", "make migrations-check")
TESTS = ("make test-unit", "make test TESTS=", "make test TESTS=", "make test-cluster", "make test-cloud")
IMAGES = ("make release-images", "make sbom", "make scan", "make chart-package")
PUSHES = ("make images-push", "make images-sign", "make chart-push")
ROLL_OUT = (
    "make values",
    "make canary",
    "make deploy",
    "make release-smoke",
    "make load-test",
    "make budget",
    "make verified",
)
COMMAND = re.compile(r"""make [a-z][a-z-]*( [A-Z_]+=("[^"$`\\]*"|[\w./-]+))*""")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One build as the harness saw it."""

    invalid: str | None
    result: str
    events: list[Json]
    options: Json

    def of(self, *types: str) -> list[Json]:
        return [event for event in self.events if event["type"] in types]

    @property
    def commands(self) -> list[Json]:
        return self.of("sh")

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.commands]

    def about(self, *starts: str) -> list[Json]:
        return [event for event in self.commands if event["text"].startswith(starts)]


@dataclass(slots=True)
class Pipeline:
    """One Jenkinsfile; every build of it is evaluated once."""

    text: str
    evaluate: Callable[[str, Json], Json]
    plugins: frozenset[str] = frozenset(named.partition(":")[0] for named in jenkins.plugins())
    _known: dict[str, Evaluated] = field(default_factory=dict)

    def build(self, variables: Json, **told: Any) -> Evaluated:
        """A build of a branch or tag. `files`, `sh`, `inputs` and `previous` are the harness's."""
        files = {".souk/release/version": "1.4.0\n", **NO_CHANGES, **told.pop("files", {})}
        known = {"secrets": SECRETS, "files": files, "plugins": sorted(self.plugins)}
        build = {"environment": {**ACCOUNTS, **variables}, **known, **told}
        key = json.dumps(build, sort_keys=True)
        if key not in self._known:
            self._known[key] = Evaluated(
                **{name: value for name, value in self.evaluate(self.text, build).items() if name != "displayName"}
            )
        return self._known[key]

    def ends(self) -> Iterator[tuple[str, Evaluated]]:
        """A build for every command of a release that fails, and one for every command that is aborted."""
        for command in (*CHECKS, "make test-unit", *IMAGES, *PUSHES, *(f"{step} ENV=dev" for step in ROLL_OUT)):
            for how in ("FAILURE", "ABORTED"):
                yield f"{command} {how}", self.build(RELEASE, sh={f"^{command}": how}, files=CHANGES)
        for command in (f"{step} ENV=prod" for step in ROLL_OUT):
            yield f"{command} FAILURE", self.build(RELEASE, sh={f"^{command}": "FAILURE"}, files=CHANGES)

    def everything(self) -> Iterator[tuple[str, Evaluated]]:
        for name, variables in {**INSIDE, "main": MAIN, "release": RELEASE}.items():
            yield name, self.build(variables)
        yield "main with changes", self.build(MAIN, files=CHANGES)
        yield "release with changes", self.build(RELEASE, files=CHANGES)
        yield from self.ends()


def jenkins_takes_it(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.everything():
        if build.invalid:
            yield f"{name}: {build.invalid}"


def good_builds_succeed(pipeline: Pipeline) -> Iterator[str]:
    for name, variables in {**INSIDE, "main": MAIN, "release": RELEASE}.items():
        for files in ({}, CHANGES):
            build = pipeline.build(variables, files=files)
            if build.result != "SUCCESS":
                yield f"{name}: {build.result} because {[event['why'] for event in build.of('stopped')]}"


def only_make_is_run(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.everything():
        yield from (f"{name}: {text}" for text in build.texts if not COMMAND.fullmatch(text))


def everything_is_done_in_order(pipeline: Pipeline) -> Iterator[str]:
    dev, prod = [f"{step} ENV=dev" for step in ROLL_OUT], [f"{step} ENV=prod" for step in ROLL_OUT]
    inside = (*CHECKS, *TESTS, *IMAGES)
    main = (*inside, *PUSHES, "make tf-plan ENV=dev", *dev)
    release = (*main, "make tf-plan ENV=prod", *prod, "make notify")
    wanted = {"main": (MAIN, main), "release": (RELEASE, release)}
    for name, (variables, order) in {**{name: (each, inside) for name, each in INSIDE.items()}, **wanted}.items():
        texts = [text for text in pipeline.build(variables).texts if text not in ("make clean", "make release-clean")]
        matches = len(texts) == len(order) and all(
            text.startswith(start) for text, start in zip(texts, order, strict=True)
        )
        if not matches:
            yield f"{name}: {texts}"


def three_kinds_of_tests_run_side_by_side(pipeline: Pipeline) -> Iterator[str]:
    paths = {event["text"]: event["path"] for event in pipeline.build(BRANCH).about("make test")}
    for part in ("make test-unit", 'make test TESTS="tests/integration', "make test TESTS=tests/contract"):
        found = [path for text, path in paths.items() if text.startswith(part)]
        if not found or not found[0].startswith("Test/") or list(paths.values()).count(found[0]) != 1:
            yield f"{part}: {found}"
    if "Test" not in [event["path"] for event in pipeline.build(BRANCH).of("parallel")]:
        yield "one after the other"


def nothing_of_a_branch_leaves_the_build(pipeline: Pipeline) -> Iterator[str]:
    for name, variables in INSIDE.items():
        build = pipeline.build(variables, files=CHANGES)
        yield from (f"{name}: {text}" for text in build.texts if re.search("push|sign|deploy|tf-|notify|ENV=", text))
        yield from (f"{name}: {event['type']}" for event in build.of("withCredentials", "lock", "input", "stash"))


def main_never_reaches_production(pipeline: Pipeline) -> Iterator[str]:
    for files in ({}, CHANGES):
        build = pipeline.build(MAIN, files=files)
        yield from (text for text in build.texts if "ENV=prod" in text)
        yield from (event["message"] for event in build.of("input") if "production" in event["message"])


def production_waits_for_somebody(pipeline: Pipeline) -> Iterator[str]:
    for files in ({}, CHANGES):
        build = pipeline.build(RELEASE, files=files)
        asked = [index for index, event in enumerate(build.events) if "production" in event.get("message", "")]
        changed = [index for index, event in enumerate(build.events) if changes(event, "prod")]
        if len(asked) != 1 or not changed or min(changed) < asked[0]:
            yield f"asked at {asked}, changed at {changed}"
    for answer in ("ABORTED", "timed out"):
        build = pipeline.build(RELEASE, files=CHANGES, inputs={"production": answer})
        yield from (f"{answer}: {event['text']}" for event in build.commands if changes(event, "prod"))
        if build.result != "ABORTED":
            yield f"{answer}: {build.result}"


def infrastructure_changes_only_as_planned_and_approved(pipeline: Pipeline) -> Iterator[str]:
    for name, variables, environment in (
        ("main", MAIN, "dev"),
        ("release", RELEASE, "dev"),
        ("release", RELEASE, "prod"),
    ):
        if pipeline.build(variables).about(f"make tf-apply ENV={environment}"):
            yield f"{name}: nothing changes in {environment}, and it is applied"
        build = pipeline.build(variables, files=CHANGES)
        order = [
            event["type"] + event.get("text", "") + event.get("name", "")
            for event in build.events
            if event["type"] == "input"
            or (event["type"] in ("stash", "unstash") and event["name"] == f"plan-{environment}")
            or (
                event.get("text", "").startswith(("make tf-plan", "make tf-apply"))
                and event["text"].endswith(environment)
            )
        ]
        plan = [f"shmake tf-plan ENV={environment}", f"stashplan-{environment}", "input", f"unstashplan-{environment}"]
        if "|".join([*plan, f"shmake tf-apply ENV={environment}"]) not in "|".join(order):
            yield f"{name}, {environment}: {order}"
        if not any(f"cloud/{environment}/plan.txt" in event["artifacts"] for event in build.of("archiveArtifacts")):
            yield f"{name}: the plan of {environment} is no artefact"
    refused = pipeline.build(MAIN, files=CHANGES, inputs={"development": "ABORTED"})
    yield from (f"refused: {event['text']}" for event in refused.commands if changes(event, "dev"))


def the_same_digests_go_everywhere(pipeline: Pipeline) -> Iterator[str]:
    build = pipeline.build(RELEASE)
    if len(build.about("make images-push")) != 1 or len(build.about("make release-images")) != 1:
        yield "images are built or pushed more than once"
    for environment in ("dev", "prod"):
        deployed = build.about(f"make deploy ENV={environment}")
        taken = [event for event in build.of("unstash") if event["name"] == "release"]
        if not [event for event in taken if deployed and event["path"] == deployed[0]["path"]]:
            yield f"{environment} does not take the digests that were pushed"
    stashes = [event for event in build.of("stash") if event["name"] == "release"]
    if not all(".souk/release/digests.json" in event["includes"] for event in stashes):
        yield "the digests are not handed on"
    if not stashes or ".souk/release/verified/*" not in stashes[-1]["includes"]:
        yield "that development verified them is not handed on"


def a_failure_ends_the_release(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.ends():
        command, _, how = name.rpartition(" ")
        if build.result != how:
            yield f"{name}: {build.result}"
        at = next((index for index, text in enumerate(build.texts) if text.startswith(command)), None)
        if at is None:
            yield f"{name}: {command} never ran"
            continue
        after = [text for text in build.texts[at + 1 :] if not text.startswith(ENDING)]
        if command == "make test-unit":
            after = [text for text in after if not text.startswith("make test")]
        yield from (f"{name}: then {text}" for text in after)


def what_does_badly_is_rolled_back(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.ends():
        environment = "prod" if "ENV=prod" in name else "dev" if "ENV=dev" in name else ""
        back = [event["text"] for event in build.about("make rollback")]
        if back != ([f"make rollback ENV={environment}"] if environment else []):
            yield f"{name}: {back}"
    for name, variables in {"main": MAIN, "release": RELEASE}.items():
        yield from (f"{name} does well: {event['text']}" for event in pipeline.build(variables).about("make rollback"))


def one_at_a_time_changes_an_environment(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.everything():
        for event in build.commands:
            for environment in ("dev", "prod"):
                if changes(event, environment) and event["locks"] != [f"souk-{environment}"]:
                    yield f"{name}: {event['text']} under {event['locks']}"
    if not pipeline.build(MAIN).options.get("disableConcurrentBuilds"):
        yield "two builds of a branch may run at once"


def every_command_has_a_limit_of_its_own(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.everything():
        for event in build.of("sh", "input"):
            # The first is the whole build's.
            longest = 3 * 24 * 60 if event["type"] == "input" else 120
            if len(event["limits"]) < 2 or event["limits"][-1] > longest:
                yield f"{name}: {event.get('text') or event['message']}: {event['limits']}"


def nobody_waits_with_an_agent_or_a_lock(pipeline: Pipeline) -> Iterator[str]:
    for event in pipeline.build(RELEASE, files=CHANGES).of("input"):
        if event["agent"] or event["locks"]:
            yield f"{event['message']} holds {event['agent']} {event['locks']}"
        if not event["submitter"]:
            yield f"{event['message']}: anybody may answer"


def no_secret_is_told(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.everything():
        for event in build.events:
            text = json.dumps(event)
            yield from (f"{name}: {event['type']} tells {known}" for known, secret in SECRETS.items() if secret in text)
    yield from (f"the file holds {found}" for found in re.findall(r"AKIA\w{16}|-----BEGIN|xox[bp]-\w+", pipeline.text))


def roles_are_the_least_that_do(pipeline: Pipeline) -> Iterator[str]:
    wanted = {
        "make tf-plan ENV=": "plan",
        "make tf-apply ENV=": "apply",
        **{f"{step} ENV=": "deploy" for step in (*ROLL_OUT, "make rollback")},
    }
    for name, build in pipeline.everything():
        for event in build.commands:
            role = None
            if event["text"].startswith(PUSHES):
                role = f"arn:aws:iam::{ACCOUNTS['AWS_ACCOUNT_shared']}:role/souk-shared-jenkins-publish"
            for start, kind in wanted.items():
                if event["text"].startswith(start):
                    owner = event["text"].removeprefix(start)
                    role = f"arn:aws:iam::{ACCOUNTS[f'AWS_ACCOUNT_{owner}']}:role/souk-{owner}-jenkins-{kind}"
            if event["role"] != role:
                yield f"{name}: {event['text']} as {event['role']}"


def an_account_that_is_not_set_is_told(pipeline: Pipeline) -> Iterator[str]:
    for variable in ACCOUNTS:
        for wrong in ("", "null"):
            build = pipeline.build({**RELEASE, variable: wrong}, files=CHANGES)
            owner = variable.removeprefix("AWS_ACCOUNT_")
            if not any(variable in event["text"] for event in build.of("error")):
                yield f"{variable}={wrong}: nobody is told"
            yield from (
                f"{variable}={wrong}: as {e['role']}"
                for e in build.commands
                if f":role/souk-{owner}-" in (e["role"] or "")
            )


def every_workspace_is_left_empty(pipeline: Pipeline) -> Iterator[str]:
    for name, build in pipeline.everything():
        for event in build.of("agent ends"):
            if event["files"] or event["checkedOut"]:
                yield f"{name}: {event['path']} leaves {event['files'] or 'its checkout'}"
        signed_in = {event["path"].split("/")[0] for event in build.about(*PUSHES)}
        cleaned = {event["path"].split("/")[0] for event in build.about("make release-clean")}
        yield from (f"{name}: {path} leaves the registry's token" for path in signed_in - cleaned)


def tests_are_published_whatever_they_say(pipeline: Pipeline) -> Iterator[str]:
    for ends in ({}, {"^make test": "FAILURE"}):
        build = pipeline.build(BRANCH, sh=ends)
        for event in build.about("make test"):
            for kind in ("junit", "recordCoverage"):
                if not [each for each in build.of(kind) if each["path"].startswith(f"{event['path']}/")]:
                    yield f"{event['text']}: no {kind}"
            if not event["variables"]["JUNIT"] or not event["variables"]["COVERAGE"]:
                yield f"{event['text']} writes no reports"


def people_are_told(pipeline: Pipeline) -> Iterator[str]:
    def told(build: Evaluated) -> list[str]:
        return [event["variables"]["STATUS"] for event in build.about("make notify")]

    expected = {
        "release": (told(pipeline.build(RELEASE)), ["RELEASED"]),
        "main that failed": (told(pipeline.build(MAIN, sh={"^make release-smoke": "FAILURE"})), ["FAILURE"]),
        "main that was aborted": (told(pipeline.build(MAIN, sh={"^make release-smoke": "ABORTED"})), ["ABORTED"]),
        "main that is well again": (told(pipeline.build(MAIN, previous="FAILURE")), ["FIXED"]),
        "main as ever": (told(pipeline.build(MAIN, previous="SUCCESS")), []),
        "branch that failed": (told(pipeline.build(BRANCH, sh={"^make lint": "FAILURE"})), []),
    }
    yield from (f"{name}: {was}, not {wanted}" for name, (was, wanted) in expected.items() if was != wanted)
    for event in pipeline.build(RELEASE).about("make notify"):
        if event["credentials"] != ["NOTIFY_WEBHOOK"] or not event["variables"]["VERSION"]:
            yield f"notify knows {event['credentials']} and {event['variables']}"


ENDING = ("make rollback", "make release-clean", "make clean", "make notify")
RULES: tuple[Callable[[Pipeline], Iterable[str]], ...] = (
    jenkins_takes_it,
    good_builds_succeed,
    only_make_is_run,
    everything_is_done_in_order,
    three_kinds_of_tests_run_side_by_side,
    nothing_of_a_branch_leaves_the_build,
    main_never_reaches_production,
    production_waits_for_somebody,
    infrastructure_changes_only_as_planned_and_approved,
    the_same_digests_go_everywhere,
    a_failure_ends_the_release,
    what_does_badly_is_rolled_back,
    one_at_a_time_changes_an_environment,
    every_command_has_a_limit_of_its_own,
    nobody_waits_with_an_agent_or_a_lock,
    no_secret_is_told,
    roles_are_the_least_that_do,
    an_account_that_is_not_set_is_told,
    every_workspace_is_left_empty,
    tests_are_published_whatever_they_say,
    people_are_told,
)


def changes(event: Json, environment: str) -> bool:
    """Whether a command may change an environment."""
    text = event.get("text", "")
    return text.endswith(f"ENV={environment}") and not text.startswith("make tf-plan")
