"""Builds what the contract in `proto/` says: Python stubs with type stubs, and the descriptor set that the edge reads.

    python -m scripts.generate.proto            writes .souk/gen (stubs) and .souk/gen/souk.binpb (descriptors, with comments)

Third-party `.proto` files are taken from packages at build time: google/* from googleapis-common-protos and grpcio-tools,
buf/validate from the jar that protovalidate publishes. Nothing is copied into the repository. A build that is up to date
(by the contents of proto/ and of this file) is left alone.
"""

import hashlib
import importlib.resources
import os
import shutil
import site
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
GENERATED = ROOT / ".souk" / "gen"
DESCRIPTORS = "souk.binpb"
VALIDATE_JAR = "build.buf:protovalidate:1.0.0"
VALIDATE_PROTO = "buf/validate/validate.proto"
# The messages inside google.rpc.Status: without them the edge answers an error with an empty body.
ERROR_PROTOS = ("google/rpc/status.proto", "google/rpc/error_details.proto")


def main() -> int:
    """Build, unless nothing changed. Answers with a process exit code."""
    fingerprint = _fingerprint()
    stamp = GENERATED / ".fingerprint"
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return 0
    building = GENERATED.with_name(f"gen.building.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    third_party = building / "third_party"
    _extract_validate(third_party)
    code = _compile(building, third_party)
    if code:
        print("proto: the contract does not compile (see above)", file=sys.stderr)
        return code
    (building / ".fingerprint").write_text(fingerprint)
    shutil.rmtree(GENERATED, ignore_errors=True)
    building.rename(GENERATED)
    _make_importable()
    return 0


def _fingerprint() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(PROTO.rglob("*.proto")):
        digest.update(str(path.relative_to(PROTO)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _extract_validate(target: Path) -> None:
    # Imported here: jgo is a build dependency, absent where stubs are already built.
    import jgo  # noqa: PLC0415

    environment = jgo.build(VALIDATE_JAR, cache_dir=ROOT / ".souk" / "cache" / "jgo")
    jars = list(Path(environment.path).rglob(f"{VALIDATE_JAR.split(':')[1]}-*.jar"))
    if not jars:
        raise SystemExit(f"proto: {VALIDATE_JAR} has no jar; is the network to the package registry up?")
    with zipfile.ZipFile(jars[0]) as jar:
        jar.extract(VALIDATE_PROTO, target)


def describe(contract: Path, descriptors: Path) -> None:
    """Write the descriptor set of a folder like `proto/`, with comments. Raises SystemExit when it does not compile.

    What third parties publish is taken from the last build.
    """
    if _describe(contract, GENERATED / "third_party", descriptors):
        raise SystemExit(f"proto: {contract} does not compile (see above)")


def _compile(out: Path, third_party: Path) -> int:
    from grpc_tools import protoc  # noqa: PLC0415 - a build dependency, as jgo is

    # The plugins of mypy-protobuf are scripts beside this interpreter, which need not be on PATH.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    stubs = protoc.main(
        [
            *_call(PROTO, third_party),
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            f"--mypy_out=quiet:{out}",
            f"--mypy_grpc_out=quiet:{out}",
            VALIDATE_PROTO,
            *_sources(PROTO),
        ]
    )
    return int(stubs or _describe(PROTO, third_party, out / DESCRIPTORS))


def _describe(contract: Path, third_party: Path, descriptors: Path) -> int:
    from grpc_tools import protoc  # noqa: PLC0415 - a build dependency, as jgo is

    wanted = ["--include_imports", "--include_source_info", f"--descriptor_set_out={descriptors}"]
    return int(protoc.main([*_call(contract, third_party), *wanted, *ERROR_PROTOS, *_sources(contract)]))


def _call(contract: Path, third_party: Path) -> list[str]:
    """How protoc is called: by its name, and with the folders in which it finds what is imported."""
    import google.rpc  # noqa: PLC0415 - the package that carries google/api, google/rpc and google/type

    packages = Path(next(iter(google.rpc.__path__))).parent.parent
    wellknown = importlib.resources.files("grpc_tools") / "_proto"
    return ["protoc", f"-I{contract}", f"-I{third_party}", f"-I{packages}", f"-I{wellknown}"]


def _sources(contract: Path) -> list[str]:
    return sorted(str(path.relative_to(contract)) for path in contract.rglob("*.proto"))


def _make_importable() -> None:
    """Put the repository and the stubs on the path of this virtual environment, once."""
    if sys.prefix == sys.base_prefix:
        return
    path_file = Path(site.getsitepackages()[0]) / "souk.pth"
    wanted = f"{ROOT}\n{GENERATED}\n"
    if not path_file.is_file() or path_file.read_text() != wanted:
        path_file.write_text(wanted)


if __name__ == "__main__":
    sys.exit(main())
