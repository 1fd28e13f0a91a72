"""Writes the edge's files.

    python -m gateway.generate --out DIR    writes DIR/envoy.yaml and DIR/openapi.json

Reads the compiled contract (`python -m scripts.generate.proto` makes it), the registry and the environment. The descriptors, the
OpenAPI document and its page are inside the configuration. With MESH_TLS_DIR it refers to DIR/secret-*.yaml, which name the
certificates.
"""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from google.protobuf import descriptor_pb2

from gateway import contract, openapi, pages, settings
from gateway.envoy import bootstrap, mesh, verbs

_ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate. Answers with a process exit code; what is wrong stands on stderr, a line each."""
    options = _parser().parse_args(arguments)
    if not options.descriptors.is_file():
        return _refuse([f"{options.descriptors} is missing: run `python -m scripts.generate.proto` first"])
    registry = yaml.safe_load(options.registry.read_text())["services"]
    try:
        contracted = contract.read(options.descriptors.read_bytes(), registry)
        configured = settings.from_environment(os.environ, [service.name for service in contracted.services])
    except (contract.ContractError, settings.SettingsError) as error:
        return _refuse(error.problems)
    configured = dataclasses.replace(configured, folder=options.out.absolute())
    for name, text in files(contracted, configured, options.descriptors.read_bytes()).items():
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / name).write_text(text)
    return 0


def files(contracted: contract.Contract, configured: settings.Settings, descriptors: bytes) -> Mapping[str, str]:
    """The edge's files by name."""
    document = openapi.document(contracted, configured.rate_limit_factor)
    transcoded = verbs.with_head(_without_comments(descriptors))
    config = bootstrap.configuration(contracted, configured, transcoded, pages.pages(document))
    held = mesh.secrets(configured.tls) if configured.tls else {}
    secrets = {name: yaml.safe_dump(content, sort_keys=False) for name, content in held.items()}
    return {
        **secrets,
        "envoy.yaml": yaml.safe_dump(config, sort_keys=False, width=120),
        "openapi.json": json.dumps(document, indent=2) + "\n",
    }


def _without_comments(descriptors: bytes) -> bytes:
    """The transcoder needs types, not comments, which are most of the bytes."""
    files_ = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    for file in files_.file:
        file.ClearField("source_code_info")
    return files_.SerializeToString()


def _refuse(problems: Sequence[str]) -> int:
    for problem in problems:
        print(f"gateway: {problem}", file=sys.stderr)  # noqa: T201 - a command talks to a person
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.generate", description="Writes the edge's files.")
    parser.add_argument("--out", type=Path, required=True, help="folder for envoy.yaml and openapi.json")
    parser.add_argument("--descriptors", type=Path, default=_ROOT / ".souk" / "gen" / "souk.binpb")
    parser.add_argument("--registry", type=Path, default=_ROOT / "services" / "services.yaml")
    return parser


if __name__ == "__main__":
    sys.exit(main())
