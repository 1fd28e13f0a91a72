"""The images of a release: built for both processors without a Docker engine, judged, pushed by digest, signed.

BuildKit writes each image as a folder (an OCI layout), so that a digest exists before anything is pushed: the gate looks at
exactly what would be pushed, and a branch builds without a registry. skopeo copies the folder, cosign signs the digest.
"""

import json
import os

from scripts.release import history, record, registry, shell
from scripts.release.build import building
from scripts.stack.supervise import problems

PLATFORMS = "linux/amd64,linux/arm64"
LAYOUTS = shell.FOLDER / "images"
SINGLE = shell.FOLDER / "single"
REPORTS = shell.FOLDER / "scan"
POLICY = "scripts/release/trivy.yaml"
# The names of images and the times of builds go into no public log; who verifies has our key.
PRIVATE = "--tlog-upload=false"


def build(run: shell.Shell, version: history.Version) -> None:
    """Build every image for both processors into folders; nothing leaves this machine. Raises a StackError."""
    for image in building.IMAGES:
        run.run(*_buildctl(image, version))


def judge(run: shell.Shell) -> None:
    """Let trivy look into every image. Raises a StackError when one has what trivy.yaml does not allow."""
    (run.root / REPORTS).mkdir(parents=True, exist_ok=True)
    looked_at = [(image, platform) for image in building.IMAGES for platform in PLATFORMS.split(",")]
    refused = [f"{image.short} ({platform})" for image, platform in looked_at if not _passes(run, image, platform)]
    if refused:
        raise problems.StackError(f"vulnerabilities that {POLICY} does not allow: {', '.join(refused)} (see {REPORTS})")


def push(run: shell.Shell, version: history.Version) -> record.Record:
    """Push every image under its version, by the digest it was judged under. Answers with what was pushed."""
    if version.text.endswith(".dirty") and not run.dry:
        raise problems.StackError(f"{version.text}: what is not committed is not released")
    address = registry.address(dry=run.dry)
    registry.sign_in(run, address)
    digests = {image.short: digest(run, image) for image in building.IMAGES}
    for name in digests:
        target = f"docker://{address}/souk/{name}:{version.tag}"
        run.run("skopeo", "copy", "--all", "--preserve-digests", f"oci:{LAYOUTS / name}", target)
    return record.Record(version.text, version.commit, address, digests)


def sign(run: shell.Shell, released: record.Record) -> None:
    """Sign every digest and attach its bill of materials, under the key that SIGNING_KEY names."""
    key = signing_key(dry=run.dry)
    registry.sign_in(run, released.registry)
    for image in building.IMAGES:
        reference = released.image(image.short)
        run.run("cosign", "sign", "--yes", PRIVATE, "--recursive", *key, reference)
        bill = str(shell.FOLDER / "sbom" / f"{image.short}.cdx.json")
        run.run("cosign", "attest", "--yes", PRIVATE, *key, "--type", "cyclonedx", "--predicate", bill, reference)


def verify(run: shell.Shell, released: record.Record) -> None:
    """Raise a StackError unless every image and the chart bear our signature."""
    key = signing_key(dry=run.dry)
    registry.sign_in(run, released.registry)
    for reference in (*(released.image(image.short) for image in building.IMAGES), released.chart_reference):
        run.run("cosign", "verify", "--private-infrastructure=true", *key, "--output", "text", reference)


def signing_key(*, dry: bool) -> tuple[str, str]:
    """The option by which cosign takes the key. Raises a StackError when SIGNING_KEY is not set, except in a dry run."""
    given = os.environ.get("SIGNING_KEY", "")
    if not given and not dry:
        raise problems.StackError("SIGNING_KEY is not set: awskms:///alias/<name> of the key that signs releases")
    return "--key", given or "SIGNING_KEY"


def digest(run: shell.Shell, image: building.Image) -> str:
    """The digest of an image that was built: that of its index over both processors."""
    index = run.root / LAYOUTS / image.short / "index.json"
    if not index.exists():
        if run.dry:
            return f"sha256:DIGEST_OF_{image.short.upper()}"
        raise problems.StackError(f"{image.short} was not built: `make release-images` does")
    manifests = json.loads(index.read_text())["manifests"]
    if len(manifests) != 1:
        raise problems.StackError(f"{index.parent} holds {len(manifests)} images, not one over all processors")
    return str(manifests[0]["digest"])


def _buildctl(image: building.Image, version: history.Version) -> list[str]:
    folder, _, file = image.dockerfile.rpartition("/")
    options = {
        "filename": file,
        "target": image.target,
        "platform": PLATFORMS,
        "label:org.opencontainers.image.version": version.text,
        "label:org.opencontainers.image.revision": version.commit,
    }
    return [
        *("buildctl", "build", "--frontend", "dockerfile.v0"),
        *("--local", "context=.", "--local", f"dockerfile={folder}"),
        *(word for name, value in options.items() for word in ("--opt", f"{name}={value}")),
        *("--output", f"type=oci,tar=false,dest={LAYOUTS / image.short}"),
    ]


def _passes(run: shell.Shell, image: building.Image, platform: str) -> bool:
    """Of a folder that holds an index trivy reads one image, whichever it finds first: so each processor's gets a folder."""
    system, processor = platform.split("/")
    name = f"{image.short}-{processor}"
    alone = SINGLE / name
    chosen = ("--override-os", system, "--override-arch", processor)
    run.run("skopeo", *chosen, "copy", "--preserve-digests", f"oci:{LAYOUTS / image.short}", f"oci:{alone}")
    report = str(REPORTS / f"{name}.json")
    return run.succeeds("trivy", "image", "--config", POLICY, "--input", str(alone), "--output", report)
