"""Terraform itself, with the stand-in for the AWS provider: everything validates, applies, stays as it is, and is guarded."""

import pytest

from tests.deploy.cloud import hcl, workspace

ROOTS = [str(root.relative_to(hcl.TERRAFORM)) for root in hcl.ROOTS]


@pytest.mark.parametrize("root", ROOTS)
def test_terraform_finds_a_root_and_all_its_modules_valid(copy: workspace.Workspace, root: str) -> None:
    assert "The configuration is valid" in copy.terraform(root, "validate")


def test_a_root_that_is_applied_has_nothing_left_to_change(
    copy: workspace.Workspace, prod: workspace.Applied, dev: workspace.Applied, shared: workspace.Applied
) -> None:
    assert prod.resources
    assert dev.resources
    assert shared.resources
    for root in ROOTS[1:]:
        assert "No changes." in copy.terraform(root, "plan", "-input=false"), root
