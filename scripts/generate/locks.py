"""`make lock`: resolve pyproject.toml into the lock files anew, with the hash of every package.

Everything for working on Souk; what a service needs at run time, what the simulators and the tools need beyond that, what
the edge needs; what building the stubs needs (the first stage of the images); and what Terraform's sources are checked
with. None names a registry: whoever installs them chooses where the packages come from.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
UV = Path(sys.executable).with_name("uv")
ALWAYS = (
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--universal",
    "--python-version",
    "3.11",
    "--quiet",
)
LIKE_SERVICES = ("--constraints", "services/requirements.lock")
GROUPS = ("build", "local", "test", "release", "lint")
FILES = {
    "requirements.lock": (*(word for group in GROUPS for word in ("--group", group)), "pyproject.toml"),
    "services/requirements.lock": ("--no-annotate", "pyproject.toml"),
    # What an image has beyond a service's, in the versions that a service has where it has them too.
    "services/simulators.lock": ("--no-annotate", "--group", "simulators", *LIKE_SERVICES),
    "services/tools.lock": ("--no-annotate", "--group", "tools", *LIKE_SERVICES),
    "gateway/requirements.lock": ("--no-annotate", "--group", "edge", *LIKE_SERVICES),
    # With what the programs of the Jenkins agent are built.
    "scripts/release/go.lock": ("--no-annotate", "--group", "go", "--constraints", "requirements.lock"),
    "services/build.lock": ("--no-annotate", "--group", "build", "pyproject.toml"),
    "scripts/cloud/checkov.lock": ("--no-annotate", "scripts/cloud/checkov.in"),
    "scripts/cloud/provider.lock": ("--no-annotate", "--no-deps", "scripts/cloud/provider.in"),
}


def main() -> int:
    """Write the lock files. Answers with a process exit code."""
    extra = sys.argv[1:]
    for name, sources in FILES.items():
        command = (str(UV), "pip", "compile", *ALWAYS, *sources, "--output-file", name, *extra)
        if code := subprocess.run(command, cwd=ROOT, env=os.environ, check=False).returncode:
            return code
        print(f"lock: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
