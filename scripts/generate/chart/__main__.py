"""The command line. The package's docstring is its manual."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway import contract
from scripts.generate.chart import package, registry_file, strimzi, values_table
from scripts.stack.supervise import problems
from services import registry

ROOT = package.ROOT
DESCRIPTORS = ROOT / ".souk/gen/souk.binpb"


def generated() -> dict[Path, str]:
    """The generated files and what they must hold. Raises ContractError or ValueError when they cannot be made."""
    known = registry.load()
    contracted = contract.read(DESCRIPTORS.read_bytes(), known.services)
    return {
        ROOT / "helm/souk/files/registry.yaml": registry_file.render(known, contracted),
        ROOT / "k8s/strimzi/topics.yaml": strimzi.topics(known),
        ROOT / "k8s/strimzi/users.yaml": strimzi.users(known),
        ROOT / "docs/values.md": values_table.render((package.CHART / "values.yaml").read_text()),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Answers with a process exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.generate.chart", description="The chart's generated parts."
    )
    parser.add_argument("--check", action="store_true", help="only compare the files with what they are made from")
    parser.add_argument("action", nargs="?", choices=["package"], help="package the chart")
    parser.add_argument("--version", default=package.project_version(), help="of the package and its images")
    options = parser.parse_args(arguments)
    wanted = generated()
    outdated = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if options.check:
        return _complain(outdated)
    for path in outdated:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    return _package(options.version) if options.action else 0


def _complain(outdated: Sequence[Path]) -> int:
    for path in outdated:
        print(f"{path.relative_to(ROOT)} is outdated: run `python -m scripts.generate.chart`", file=sys.stderr)
    return 1 if outdated else 0


def _package(version: str) -> int:
    try:
        made = package.make(version)
    except problems.StackError as refused:
        print(refused, file=sys.stderr)
        return 1
    print(made.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
