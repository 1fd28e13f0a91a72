"""The programs of the Jenkins agent that are built from Go modules; its image (`k8s/jenkins/Dockerfile`) is built with them.

    python -m scripts.release.tools FOLDER     builds what is missing and puts copies into a folder

What a release needs from elsewhere (git, make, skopeo, the AWS CLI, trivy) the Dockerfile takes from there.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.cluster import tools as cluster
from scripts.stack.supervise import go, kept, problems, progress, sizes

MODULES = Path(__file__).with_name("go")
CACHE = kept.Cache("release", space=4 * sizes.GIB)
TOOLS = (
    go.Tool(
        "buildctl",
        "github.com/moby/buildkit",
        ("github.com/moby/buildkit/cmd/buildctl",),
        {"github.com/moby/buildkit/version.Version": "{version}"},
        modules=MODULES,
        cache=CACHE,
    ),
    cluster.named("helm"),
    go.Tool(
        "terraform",
        "github.com/hashicorp/terraform",
        ("github.com/hashicorp/terraform",),
        # What Terraform's own releases are built with; else it says that it is a development version.
        {"github.com/hashicorp/terraform/version.dev": "no"},
        minutes=3,
        modules=MODULES,
        cache=CACHE,
    ),
    go.Tool(
        "cosign",
        "github.com/sigstore/cosign/v2",
        ("github.com/sigstore/cosign/v2/cmd/cosign",),
        {"sigs.k8s.io/release-utils/version.gitVersion": "{version}"},
        minutes=4,
        modules=MODULES,
        cache=CACHE,
    ),
)


def copy(tools: Sequence[go.Tool], into: Path, report: progress.Progress) -> None:
    """Put the programs of some tools into a folder. Raises a StackError when one can't be built."""
    into.mkdir(parents=True, exist_ok=True)
    for tool in tools:
        tool.cache.make([tool.kept_folder], report)
        for program in tool.programs:
            shutil.copy(tool.home / program, into)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says. Answers with a process exit code; a problem is one line on stderr."""
    try:
        copy(TOOLS, Path(*arguments), progress.Progress())
    except problems.StackError as problem:
        print(f"tools: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
