"""Writes the edge's files.

    python -m gateway.generate --out DIR    writes DIR/envoy.yaml and DIR/openapi.json

Reads the compiled contract (`python -m scripts.proto` makes it), the registry and the environment. The configuration
refers to no other file: descriptors, OpenAPI document and page are inside it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from gateway import contract, settings
from gateway.envoy import bootstrap

_ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate. Answers with a process exit code; what is wrong stands on stderr, a line each."""
    options = _parser().parse_args(arguments)
    registry = list(yaml.safe_load(options.registry.read_text())["services"])
    descriptors = options.descriptors.read_bytes()
    contracted = contract.read(descriptors, registry)
    names = [service.name for service in contracted.services]
    configured = settings.from_environment(os.environ, names)
    options.out.mkdir(parents=True, exist_ok=True)
    config = bootstrap.configuration(contracted, configured, descriptors, {})
    (options.out / "envoy.yaml").write_text(yaml.safe_dump(config, sort_keys=False, width=120))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.generate", description="Writes the edge's files.")
    parser.add_argument("--out", type=Path, required=True, help="folder for envoy.yaml and openapi.json")
    parser.add_argument("--descriptors", type=Path, default=_ROOT / ".souk" / "gen" / "souk.binpb")
    parser.add_argument("--registry", type=Path, default=_ROOT / "services" / "services.yaml")
    return parser


if __name__ == "__main__":
    sys.exit(main())
