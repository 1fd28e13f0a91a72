"""The chart of a release: packaged under the release's version, pushed beside the images, signed by digest."""

import dataclasses
import re

from scripts.release import history, images, record, registry, shell
from scripts.stack.supervise import problems

SOURCE = "helm/souk"
FOLDER = shell.FOLDER / "chart"
DIGEST = re.compile(r"Digest:\s*(sha256:[0-9a-f]{64})")


def package(run: shell.Shell, version: history.Version) -> None:
    """Package the chart: its version and that of the images it names are the release's."""
    versions = ("--version", version.text, "--app-version", version.text)
    run.run("helm", "package", SOURCE, *versions, "--destination", str(FOLDER))


def push(run: shell.Shell, released: record.Record) -> record.Record:
    """Push the package and sign it. Answers with the record, the chart's digest in it."""
    registry.sign_in(run, released.registry)
    target = f"oci://{released.registry}/souk/charts"
    said = run.overhear(
        *("helm", "push", str(FOLDER / f"souk-{released.version}.tgz"), target),
        otherwise=f"Digest: sha256:{'0' * 64}",
    )
    found = DIGEST.search(said)
    if not found:
        raise problems.StackError(f"helm push does not tell the digest: {said.strip()}")
    whole = dataclasses.replace(released, chart=found[1])
    run.run("cosign", "sign", "--yes", images.PRIVATE, *images.signing_key(dry=run.dry), whole.chart_reference)
    return whole
