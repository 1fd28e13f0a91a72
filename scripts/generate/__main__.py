"""The one command for everything that is generated and committed, and the one check."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.generate import catalogues, pictures, reference
from scripts.generate.chart import __main__ as chart
from scripts.generate.compose import __main__ as compose
from scripts.generate.compose import document
from services import registry

ROOT = Path(__file__).resolve().parents[2]


def generated() -> Mapping[Path, str]:
    """Every generated file and what it must hold. Raises ContractError or ValueError when one cannot be made."""
    known = registry.load()
    return {
        compose.FILE: document.render(known),
        **chart.generated(),
        **reference.pages(),
        **catalogues.generated(),
        **{path: pictures.redrawn(path.read_text(), known) for path in pictures.pages(ROOT)},
    }


def outdated() -> Mapping[Path, str]:
    """The files that are not what they would be, and what they must hold."""
    wanted = generated()
    return {path: text for path, text in wanted.items() if not path.is_file() or path.read_text() != text}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is outdated, or name it. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.generate", description="Writes what is generated.")
    parser.add_argument("--check", action="store_true", help="only compare the files with what they are made from")
    options = parser.parse_args(arguments)
    wanted = outdated()
    for path, text in wanted.items():
        if options.check:
            print(f"{path.relative_to(ROOT)} is outdated: run `make generate`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if options.check and wanted else 0


if __name__ == "__main__":
    sys.exit(main())
