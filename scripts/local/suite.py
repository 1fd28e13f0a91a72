"""`make test`: a stack of its own is brought up, pytest runs against it, and it is stopped whatever the tests say."""

import subprocess
import sys
from collections.abc import Sequence

from scripts.local import component, down, layout, settings, up

# How long pytest may take to end after Ctrl-C: it tears its fixtures down.
GRACE_S = 20.0


def run(chosen: up.Run, arguments: Sequence[str]) -> int:
    """Answers with pytest's exit code. Raises a StackError when a part of the stack can't be had: nothing is skipped."""
    try:
        up.up(chosen)
        up.load_sample_data(chosen)
        chosen.report.say("tests", f"pytest {' '.join(arguments)}")
        return _pytest(chosen, arguments)
    except component.Cancelled:
        raise KeyboardInterrupt from None
    finally:
        down.down(chosen.chosen.stack, chosen.report)


def _pytest(chosen: up.Run, arguments: Sequence[str]) -> int:
    environment = settings.tool_environment(chosen.chosen)
    command = (sys.executable, "-m", "pytest", *arguments)
    with subprocess.Popen(command, cwd=layout.ROOT, env=environment) as tests:
        try:
            return tests.wait()
        except KeyboardInterrupt:
            tests.wait(GRACE_S)
            raise
