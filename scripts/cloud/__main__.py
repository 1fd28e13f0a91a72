"""The cloud's commands, each a list of steps that are shown before they run; with DRY_RUN=1 they are shown and that is all.

    python -m scripts.cloud bootstrap                 the bucket of the state, once for an account
    python -m scripts.cloud plan ENV                  what would change: .souk/cloud/ENV/plan, and plan.txt to read
    python -m scripts.cloud apply ENV                 change exactly that
    python -m scripts.cloud values ENV                Terraform's outputs as values and secret store: .souk/cloud/ENV
    python -m scripts.cloud controllers ENV           install the controllers that the chart counts on
    python -m scripts.cloud credentials ENV VERSION   fill the secrets, by a job in the cluster
    python -m scripts.cloud up ENV VERSION EMAIL      all of it, from an empty account to a confirmed order; resumable
    python -m scripts.cloud unguard ENV               let go of what must not be destroyed, before it is
    python -m scripts.cloud destroy ENV               destroy an environment that is not guarded

ENV is shared, dev or prod.
"""

import os
import sys
from collections.abc import Callable, Sequence

from scripts.cloud import commands, up
from scripts.cloud.steps import Step, run
from scripts.stack.supervise import problems

_COMMANDS: dict[str, Callable[..., list[Step]]] = {
    "bootstrap": commands.bootstrap,
    "plan": commands.plan,
    "apply": commands.apply,
    "values": commands.chart_values,
    "controllers": commands.install_controllers,
    "credentials": commands.credentials,
    "unguard": commands.unguard,
    "destroy": commands.destroy,
}


def main(arguments: Sequence[str]) -> int:
    """Answers with a process exit code; a problem is one line on stderr."""
    if not arguments or arguments[0] not in {*_COMMANDS, "up"}:
        print(__doc__, file=sys.stderr)
        return 2
    dry = os.environ.get("DRY_RUN", "0") not in {"", "0"}
    try:
        if arguments[0] == "up":
            up.run(up.Wish(*arguments[1:]), dry=dry)
        else:
            run(_COMMANDS[arguments[0]](*arguments[1:]), dry=dry)
    except problems.StackError as problem:
        print(f"cloud: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
