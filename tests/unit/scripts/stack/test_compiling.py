"""Compiled modules are kept: made once before the services start, and by whatever `make` runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack import layout, settings, up
from scripts.stack.supervise import progress
from services import registry


def test_what_services_import_is_compiled_once_for_the_same_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    given = {**kept, "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode")}
    stack = layout.Stack(root=tmp_path)
    stack.cache.mkdir(parents=True)
    run = up.Run(settings.Settings(stack, (registry.load().services["storefront"],), given), progress.Silent())
    up.compile_once(run)
    compiled = {path.name.partition(".")[0] for path in (tmp_path / "bytecode").rglob("services/storefront/*.pyc")}
    assert {"main", "rpc", "usecases"} <= compiled
    marked = (stack.cache / "compiled").stat().st_mtime_ns
    up.compile_once(run)
    assert (stack.cache / "compiled").stat().st_mtime_ns == marked


def test_make_keeps_compiled_modules_whatever_the_environment_says() -> None:
    makefile = "include Makefile\nshown:\n\t@echo $$PYTHONPYCACHEPREFIX $${PYTHONDONTWRITEBYTECODE-unset}\n"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["make", "-s", "-f", "-", "shown"]
    said = subprocess.run(  # noqa: S603 - our own words
        command, input=makefile, cwd=layout.ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [str(layout.ROOT / ".souk" / "cache" / "bytecode"), "unset"]
