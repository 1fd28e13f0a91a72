"""The Jenkinsfile, evaluated by the harness: every rule holds, and each rule catches the mistakes it is there for."""

from collections.abc import Callable, Iterator

import pytest

from scripts.stack import layout
from tests.deploy.jenkins import groovy, rules

JENKINSFILE = (layout.ROOT / "Jenkinsfile").read_text()
Rule = Callable[[rules.Pipeline], Iterator[str]]


@pytest.fixture(scope="module")
def harness() -> Iterator[groovy.Harness]:
    with groovy.running() as running:
        yield running


@pytest.fixture(scope="module")
def pipeline(harness: groovy.Harness) -> rules.Pipeline:
    return rules.Pipeline(JENKINSFILE, harness.evaluate)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_pipeline_keeps_the_rule(pipeline: rules.Pipeline, rule: Rule) -> None:
    assert list(rule(pipeline)) == []


# What is mistaken: the rule that must see it, what stands in the file, what stands there instead.
MISTAKES: dict[str, tuple[Rule, str, str]] = {
    "a command besides make": (rules.only_make_is_run, "sh 'make lint'", "sh 'ruff check .'"),
    "two commands at once": (rules.only_make_is_run, "sh 'make lint'", "sh 'make lint; make lint'"),
    "a command out of a value": (rules.only_make_is_run, "sh 'make lint'", 'sh "make lint X=`${env.BRANCH_NAME}`"'),
    "an unknown step": (rules.jenkins_takes_it, "sh 'make lint'", "bash 'make lint'"),
    "an unknown parameter": (rules.jenkins_takes_it, "allowEmptyArchive: true", "allowEmpty: true"),
    "an unknown section": (rules.jenkins_takes_it, "post { cleanup { deleteDir() } }", "after { deleteDir() }"),
    "an unknown condition": (
        rules.jenkins_takes_it,
        "post { cleanup { deleteDir() } }",
        "post { finally { deleteDir() } }",
    ),
    "a step outside of steps": (rules.jenkins_takes_it, "steps { sh 'make lint' }", "sh 'make lint'"),
    "an unknown option": (rules.jenkins_takes_it, "timestamps()", "timestamp()"),
    "a limit without a unit": (rules.jenkins_takes_it, "timeout(time: 3, unit: 'DAYS')", "timeout(time: 3)"),
    "a variable that is not there": (rules.jenkins_takes_it, "${APPROVED_BY}", "${APPROVER}"),
    "a function that is not there": (rules.jenkins_takes_it, "planInfrastructure('dev')", "planEverything('dev')"),
    "one name for two stages": (rules.jenkins_takes_it, "stage('Chart')", "stage('Build')"),
    "an account that may be missing": (
        rules.an_account_that_is_not_set_is_told,
        "if (!(account ==~ /[0-9]{12}/))",
        "if (!account)",
    ),
    "a brace too few": (rules.jenkins_takes_it, "stage('Chart') {", "stage('Chart')"),
    "no checkout": (
        rules.good_builds_succeed,
        "            checkout scm\n            sh 'make test-unit'",
        "sh 'make test-unit'",
    ),
    "a credential that nobody made": (rules.people_are_told, "'souk-notify-webhook'", "'souk-webhook'"),
    "a stash that nobody made": (rules.good_builds_succeed, "unstash 'release'", "unstash 'digests'"),
    "the gate after the push": (
        rules.everything_is_done_in_order,
        "sh 'make images-push'",
        "sh 'make images-push'\n sh 'make scan'",
    ),
    "no comparison with the last release": (rules.everything_is_done_in_order, "sh 'make breaking'", "echo 'later'"),
    "tests one after the other": (rules.three_kinds_of_tests_run_side_by_side, "parallel {", "stages {"),
    "a branch that pushes": (
        rules.nothing_of_a_branch_leaves_the_build,
        "when { expression { publishes() } }",
        "when { expression { true } }",
    ),
    "any tag is a release": (rules.nothing_of_a_branch_leaves_the_build, "==~ /v\\d+\\.\\d+\\.\\d+/", "!= null"),
    "main reaches production": (
        rules.main_never_reaches_production,
        "expression { isRelease() }",
        "expression { publishes() }",
    ),
    "nobody is asked": (
        rules.production_waits_for_somebody,
        "ok 'Release'",
        "ok 'Release'\n}\nwhen { not { buildingTag() }",
    ),
    "production's infrastructure before the answer": (
        rules.production_waits_for_somebody,
        "steps { planInfrastructure('prod') }",
        "steps { planInfrastructure('prod')\n lock(resource: 'souk-prod') { applyInfrastructure('prod') } }",
    ),
    "a plan of its own for applying": (
        rules.infrastructure_changes_only_as_planned_and_approved,
        '  unstash "plan-${name}"\n',
        "",
    ),
    "applied although nothing changes": (
        rules.infrastructure_changes_only_as_planned_and_approved,
        "beforeOptions true\n            beforeAgent true\n            expression { env.CHANGES_dev == 'true' }",
        "beforeOptions true\n            beforeAgent true\n            expression { true }",
    ),
    "other images for production": (
        rules.the_same_digests_go_everywhere,
        "steps { rollOut('prod') }",
        "steps { checkout scm\n sh 'make release-images'\n rollOut('prod') }",
    ),
    "digests that are not handed on": (
        rules.the_same_digests_go_everywhere,
        ".souk/release/digests.json,.souk/release/verified/*'",
        ".souk/release/digests.json'",
    ),
    "a failure that is passed over": (
        rules.a_failure_ends_the_release,
        "steps { sh 'make scan' }",
        "steps { script { try { sh 'make scan' } catch (ignored) { echo 'never mind' } } }",
    ),
    "no way back from production": (
        rules.what_does_badly_is_rolled_back,
        "unsuccessful { withRole('prod', 'deploy') { sh 'make rollback ENV=prod' } }",
        "",
    ),
    "no way back when somebody aborts": (
        rules.what_does_badly_is_rolled_back,
        "unsuccessful { withRole('dev', 'deploy')",
        "failure { withRole('dev', 'deploy')",
    ),
    "no canary": (rules.everything_is_done_in_order, '    sh "make canary ENV=${name}"\n', ""),
    "a canary after everybody": (
        rules.everything_is_done_in_order,
        '    sh "make canary ENV=${name}"\n    sh "make deploy ENV=${name}"',
        '    sh "make deploy ENV=${name}"\n    sh "make canary ENV=${name}"',
    ),
    "the budget is not watched": (rules.everything_is_done_in_order, '    sh "make budget ENV=${name}"\n', ""),
    "a roll-out without a lock": (
        rules.one_at_a_time_changes_an_environment,
        "lock(resource: 'souk-prod')\n            timeout(time: 115, unit: 'MINUTES')",
        "timeout(time: 115, unit: 'MINUTES')",
    ),
    "the lock of another environment": (
        rules.one_at_a_time_changes_an_environment,
        "lock(resource: 'souk-dev')\n            timeout(time: 60",
        "lock(resource: 'souk-prod')\n            timeout(time: 60",
    ),
    "two builds of main at once": (rules.one_at_a_time_changes_an_environment, "    disableConcurrentBuilds()\n", ""),
    "a stage without a limit": (
        rules.every_command_has_a_limit_of_its_own,
        "options { timeout(time: 90, unit: 'MINUTES') }",
        "",
    ),
    "a limit that is none": (
        rules.every_command_has_a_limit_of_its_own,
        "timeout(time: 20, unit",
        "timeout(time: 2000, unit",
    ),
    "waiting with the lock": (
        rules.nobody_waits_with_an_agent_or_a_lock,
        "options { timeout(time: 2, unit: 'DAYS') }",
        "options { lock(resource: 'souk-prod')\n timeout(time: 2, unit: 'DAYS') }",
    ),
    "anybody may release": (rules.nobody_waits_with_an_agent_or_a_lock, "submitter 'souk-releasers'", "id 'release'"),
    "a secret on the command line": (
        rules.no_secret_is_told,
        "sh 'make notify'",
        'sh "make notify NOTIFY_WEBHOOK=${NOTIFY_WEBHOOK}"',
    ),
    "a secret in the log": (rules.no_secret_is_told, "sh 'make notify'", "echo env.NOTIFY_WEBHOOK\n sh 'make notify'"),
    "a key in the file": (rules.no_secret_is_told, "agent none", "agent none // AKIAIOSFODNN7EXAMPLE"),
    "more rights than needed": (
        rules.roles_are_the_least_that_do,
        "withRole(name, 'deploy')",
        "withRole(name, 'apply')",
    ),
    "the roll-back of another environment": (
        rules.roles_are_the_least_that_do,
        "unsuccessful { withRole('prod', 'deploy')",
        "unsuccessful { withRole('dev', 'deploy')",
    ),
    "a token that stays": (
        rules.every_workspace_is_left_empty,
        "          sh 'make release-clean'\n          deleteDir()",
        "deleteDir()",
    ),
    "a workspace that stays": (
        rules.every_workspace_is_left_empty,
        "          deleteDir()\n        }\n      }\n    }\n  }",
        "}}}}",
    ),
    "reports of good tests only": (
        rules.tests_are_published_whatever_they_say,
        "            always { publishReports() }\n            cleanup { deleteDir() }",
        "            success { publishReports() }\n            cleanup { deleteDir() }",
    ),
    "tests without coverage": (rules.tests_are_published_whatever_they_say, "COVERAGE = '.souk/reports/coverage'", ""),
    "nobody hears of a failure": (
        rules.people_are_told,
        "    unsuccessful { script { if (publishes()) { announce(currentBuild.currentResult) } } }\n",
        "",
    ),
    "everybody hears of every branch": (rules.people_are_told, "if (publishes()) { announce(", "if (true) { announce("),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_caught_by_its_rule(harness: groovy.Harness, mistake: str) -> None:
    rule, stands, instead = MISTAKES[mistake]
    assert stands in JENKINSFILE
    planted = rules.Pipeline(JENKINSFILE.replace(stands, instead), harness.evaluate)
    assert next(iter(rule(planted)), "") != ""


def test_a_build_is_called_by_its_version(harness: groovy.Harness, pipeline: rules.Pipeline) -> None:
    build = {
        "environment": rules.BRANCH,
        "files": {".souk/release/version": "1.4.1-dev.2.gabcdef12\n"},
        "secrets": {},
        "plugins": sorted(pipeline.plugins),
    }
    assert harness.evaluate(JENKINSFILE, build)["displayName"] == "1.4.1-dev.2.gabcdef12"


def test_branches_take_no_agent_for_what_they_do_not_do(pipeline: rules.Pipeline) -> None:
    paths = [event["path"] for event in pipeline.build(rules.BRANCH).of("agent")]
    assert [path.partition("/")[0] for path in paths] == ["Check", *["Test"] * 5, "Images"]
