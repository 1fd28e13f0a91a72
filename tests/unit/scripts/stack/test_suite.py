import pytest

from scripts.stack import suite


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        (
            ["-n", "2", "tests"],
            [["-n", "2", "tests", "--ignore=tests/faults"], ["-n", "2", "tests/faults", "-n", "0"]],
        ),
        (
            ["-n", "2", "tests", "-k", "gateway"],
            [
                ["-n", "2", "-k", "gateway", "tests", "--ignore=tests/faults"],
                ["-n", "2", "-k", "gateway", "tests/faults", "-n", "0"],
            ],
        ),
        (["tests/unit", "tests/system"], [["tests/unit", "tests/system", "--ignore=tests/faults"]]),
        (["tests/faults/test_outages.py"], [["tests/faults/test_outages.py", "-n", "0"]]),
        (
            ["tests/faults/test_outages.py::test_x", "tests/unit"],
            [["tests/unit", "--ignore=tests/faults"], ["tests/faults/test_outages.py::test_x", "-n", "0"]],
        ),
        ([], [["--ignore=tests/faults"], ["tests/faults", "-n", "0"]]),
    ],
)
def test_what_breaks_the_stack_runs_last_and_by_itself(arguments: list[str], runs: list[list[str]]) -> None:
    assert suite.parts(arguments) == runs


@pytest.mark.parametrize(
    ("codes", "code"), [([0, 0], 0), ([1, 0], 1), ([0, 1], 1), ([0, 5], 0), ([5, 0], 0), ([5, 5], 5)]
)
def test_a_failure_of_either_part_fails_the_whole(codes: list[int], code: int) -> None:
    assert suite.verdict(codes) == code


def test_every_run_writes_reports_of_its_own() -> None:
    reports = suite.Reports("out", "out")
    assert reports.options(1) == [
        "--junitxml=out/tests-1.xml",
        "--cov",
        "--cov-report=",
        "--cov-report=xml:out/coverage-1.xml",
    ]
    assert not set(reports.options(1)) & set(reports.options(2)) - {"--cov", "--cov-report="}


def test_no_report_is_written_unasked() -> None:
    assert suite.Reports().options(1) == []
