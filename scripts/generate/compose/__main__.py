"""The command line: write the file, or compare it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.generate.compose import document
from services import registry

FILE = Path(__file__).resolve().parents[3] / "docker-compose.yml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write docker-compose.yml, or check it. Answers with a process exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.generate.compose", description="Writes docker-compose.yml."
    )
    parser.add_argument("--check", action="store_true", help="only compare the file with the registry")
    options = parser.parse_args(arguments)
    text = document.render(registry.load())
    if not options.check:
        FILE.write_text(text)
    elif not FILE.exists() or FILE.read_text() != text:
        print("docker-compose.yml is not what services/services.yaml says: run `make compose`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
