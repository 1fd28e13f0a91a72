"""The stack that tests of the whole system run against: the one that runs the tests, else the stack `test`.

`make test` tells where everything is by the environment. Somebody who runs pytest by hand gets the same stack brought up, and
it stays up for the next run; `python -m scripts.stack --stack test down` stops it.
"""

import fcntl
import os
from collections.abc import Mapping

from scripts.stack import layout, settings, up
from scripts.stack.supervise import progress

NAME = "test"


def name() -> str:
    """Which stack the tests use."""
    return os.environ.get("SOUK_STACK", NAME)


def environment() -> Mapping[str, str]:
    """Where the parts of the running stack are, by the names of its env file. Brings it up when nobody else did."""
    if "SOUK_STACK" in os.environ:
        return os.environ
    stack = layout.chosen(NAME, os.environ)
    lock = stack.folder.with_name(f"{NAME}.by-hand.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        # The workers of one test run wait for each other here.
        fcntl.flock(file, fcntl.LOCK_EX)
        run = up.Run(settings.read(stack, os.environ), progress.Silent())
        up.up(run)
        up.load_sample_data(run)
    return settings.exported(run.chosen)
