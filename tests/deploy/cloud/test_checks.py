"""The checkers of others: Terraform's own format, tflint, and checkov with a reason beside each check that is skipped."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.cloud import tools
from tests.deploy.cloud import hcl

_SKIPPED = re.compile(r"#\s*checkov:skip=(?P<check>CKV2?_[A-Z]+_[0-9]+)(?::(?P<reason>.*))?")


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_CLI_ARGS": "-no-color"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603


def test_all_files_have_terraforms_format() -> None:
    done = _run(tools.terraform(), "fmt", "-check", "-recursive", "-diff", hcl.TERRAFORM)
    assert done.returncode == 0, done.stdout


def test_tflint_has_nothing_to_say() -> None:
    done = _run(tools.tflint(), "--recursive", f"--chdir={hcl.TERRAFORM}", "--no-color")
    assert done.returncode == 0, done.stdout


def test_tflint_sees_a_variable_that_nobody_uses(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('variable "forgotten" {\n  type = string\n}\n')
    assert "terraform_unused_declarations" in _run(tools.tflint(), f"--chdir={tmp_path}", "--no-color").stdout


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What checkov says of everything, and of a database planted beside it."""
    folder = tmp_path_factory.mktemp("checked")
    shutil.copytree(hcl.TERRAFORM, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*"))
    (folder / "planted").mkdir()
    (folder / "planted" / "main.tf").write_text(
        'resource "aws_db_instance" "open" {\n  publicly_accessible = true\n}\n'
    )
    options = ("--framework", "terraform", "--skip-download", "--compact", "--quiet", "-o", "json")
    done = _run(tools.checkov(), "-m", "checkov.main", "-d", folder, *options)
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_checkov_finds_nothing_that_has_no_reason(checked: dict[str, object]) -> None:
    failed = checked["results"]["failed_checks"]  # type: ignore[index]  # checkov's own JSON
    said = {
        f"{found['check_id']} {found['file_path']} {found['check_name']}" for found in failed if not _planted(found)
    }
    assert said == set()
    assert checked["summary"]["parsing_errors"] == 0  # type: ignore[index]  # the same
    assert checked["summary"]["passed"] > 250  # type: ignore[index]  # the same


def test_checkov_sees_a_database_that_the_world_can_reach(checked: dict[str, object]) -> None:
    failed = checked["results"]["failed_checks"]  # type: ignore[index]  # checkov's own JSON
    assert "CKV_AWS_17" in {found["check_id"] for found in failed if _planted(found)}


def test_each_skipped_check_has_its_reason() -> None:
    for path in hcl.TERRAFORM.rglob("*.tf"):
        for skipped in _SKIPPED.finditer(path.read_text()):
            assert len((skipped["reason"] or "").strip()) > 20, f"{path.name}: {skipped['check']}"


def _planted(found: dict[str, str]) -> bool:
    return "aws_db_instance.open" in found["resource"]
