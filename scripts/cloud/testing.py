"""The tools of the tests, for the image of the Jenkins agents (`k8s/jenkins/Dockerfile`): there they are brought along.

    python -m scripts.release.testing FOLDER     makes what is missing and puts copies into a folder, as SOUK_TOOLS names one

A volume for all builds would do less work, but a build of any branch could put a program there that a release runs later.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.cloud import tools as cloud
from scripts.cluster import tools as cluster
from scripts.stack.supervise import kept, problems, progress


def folders() -> list[tuple[kept.Cache, kept.Folder]]:
    """Whatever the suites of cluster and cloud would make, with the cache that each belongs to."""
    return [
        *((cluster.CACHE, tool.kept_folder) for tool in cluster.EVERY),
        *((cloud.CACHE, folder) for folder in cloud.folders()),
    ]


def copy(into: Path, report: progress.Progress) -> None:
    """Put copies of all of them into a folder. Raises a StackError when one can't be made."""
    for cache, folder in folders():
        cache.make([folder], report)
        shutil.copytree(folder.home, into / cache.name / folder.home.name, symlinks=True, dirs_exist_ok=True)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says. Answers with a process exit code; a problem is one line on stderr."""
    try:
        copy(Path(*arguments), progress.Progress())
    except problems.StackError as problem:
        print(f"testing: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
