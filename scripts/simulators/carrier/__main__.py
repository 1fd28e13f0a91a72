"""Runs the carrier until SIGTERM or SIGINT. The package's docstring is its manual."""

import argparse
import sys
from pathlib import Path

from scripts.simulators import journal, listening, steered
from scripts.simulators.carrier import depot
from scripts.simulators.carrier.web import Api

LOG = "carrier.log"


def main() -> int:
    """Serve. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.simulators.carrier", description=__doc__)
    parser.add_argument("--listen", required=True, type=listening.parse_address, metavar="HOST:PORT")
    parser.add_argument("--state", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="how fast its clock runs: 36000 are ten hours a second"
    )
    arguments = parser.parse_args()
    try:
        api = Api(depot.Depot.open(arguments.state / LOG, arguments.speed))
        steered.serve("carrier", api.application(), arguments.listen)
    except journal.JournalInUse as taken:
        listening.give_up(f"carrier: another process writes {taken}: stop it or choose another --state")
    except OSError as refused:
        listening.give_up(f"carrier: can't listen on {arguments.listen} or write {arguments.state}: {refused}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
