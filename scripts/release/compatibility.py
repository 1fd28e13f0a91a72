"""`make breaking`: the contract against that of the last release, by `buf breaking`."""

import tempfile
from pathlib import Path

from scripts.generate import proto
from scripts.release import history, shell
from scripts.stack.supervise import problems

BUF = ".venv/bin/buf"


def check(run: shell.Shell, known: history.History) -> str:
    """What was found, in one line. Raises a StackError when the contract breaks those who were built on the last release."""
    last = known.last_release()
    if not last:
        return "there is no release yet: nothing to break"
    with tempfile.TemporaryDirectory() as folder:
        released, current = Path(folder, "released.binpb"), Path(folder, "current.binpb")
        proto.describe(known.extract(last, "proto", Path(folder)), released)
        proto.describe(known.root / "proto", current)
        command = (BUF, "breaking", str(current), "--against", str(released), "--config", "proto/buf.yaml")
        try:
            run.run(*command)
        except problems.StackError as refused:
            raise problems.StackError(f"the contract is not what {last} promised: {refused}") from None
    return f"the contract keeps what {last} promised"
