"""Programs that a release calls and this machine need not have: each writes down how it was called and answers as told."""

import json
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = """#!{python} -I
import json, os, sys
folder = {folder!r}
name = os.path.basename(sys.argv[0])
kept = {{key: os.environ.get(key, "") for key in ("KUBECONFIG", "DOCKER_CONFIG")}}
with open(os.path.join(folder, "calls"), "a") as file:
    file.write(json.dumps([[name, *sys.argv[1:]], kept]) + "\\n")
with open(os.path.join(folder, "answers")) as file:
    answers = json.load(file)
for words, (code, out, err) in answers:
    if words == [name, *sys.argv[1:]][: len(words)]:
        sys.stdout.write(out)
        sys.stderr.write(err)
        sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder of them, to be the first of PATH."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, names: tuple[str, ...]) -> "Programs":
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            file = folder / name
            file.write_text(SCRIPT.format(python=sys.executable, folder=str(folder)))
            file.chmod(file.stat().st_mode | stat.S_IXUSR)
        programs = cls(folder)
        programs.answer({})
        return programs

    def answer(self, answers: Mapping[tuple[str, ...], tuple[int, str, str]]) -> None:
        """What calls that begin with these words answer: exit code, standard output, standard error."""
        (self.folder / "answers").write_text(json.dumps([[list(words), told] for words, told in answers.items()]))

    @property
    def calls(self) -> list[list[str]]:
        return [call for call, _ in self._read()]

    @property
    def environments(self) -> list[dict[str, str]]:
        return [environment for _, environment in self._read()]

    def _read(self) -> list[tuple[list[str], dict[str, str]]]:
        file = self.folder / "calls"
        lines: list[Any] = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [(call, environment) for call, environment in lines]
