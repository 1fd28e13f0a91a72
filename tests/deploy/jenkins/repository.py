"""A git repository of a test's own, with Souk's layout as far as releases look at it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "tag.gpgsign=false")


@dataclass(frozen=True, slots=True)
class Repository:
    root: Path

    @classmethod
    def new(cls, root: Path) -> "Repository":
        made = cls(root)
        made.git("init", "--quiet", "--initial-branch=main")
        made.commit("README.md", "the first\n")
        return made

    def git(self, *arguments: str) -> str:
        command = ("git", *IDENTITY, *arguments)
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - git

    def write(self, path: str, content: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def commit(self, path: str, content: str) -> str:
        self.write(path, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"changes {path}")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str) -> None:
        self.git("tag", name)
