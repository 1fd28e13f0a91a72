"""The command line: write the generated files, compare them, or package the chart."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway import contract
from scripts.chart import registry_file
from services import registry

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTORS = ROOT / ".souk/gen/souk.binpb"


def generated() -> dict[Path, str]:
    """The generated files and what they must hold. Raises ContractError or ValueError when they cannot be made."""
    known = registry.load()
    contracted = contract.read(DESCRIPTORS.read_bytes(), known.services)
    return {ROOT / "helm/souk/files/registry.yaml": registry_file.render(known, contracted)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chart", description="Writes the chart's generated parts.")
    parser.add_argument("--check", action="store_true", help="only compare the files with what they are made from")
    options = parser.parse_args(arguments)
    outdated = [path for path, text in generated().items() if not path.exists() or path.read_text() != text]
    if options.check:
        for path in outdated:
            print(f"{path.relative_to(ROOT)} is outdated: run `python -m scripts.chart`", file=sys.stderr)
        return 1 if outdated else 0
    for path in outdated:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(generated()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
