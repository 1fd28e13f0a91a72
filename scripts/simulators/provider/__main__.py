"""Runs the payment provider until SIGTERM or SIGINT. The package's docstring is its manual."""

import argparse
import sys
from pathlib import Path

from scripts.simulators import hooks, journal, listening, steered
from scripts.simulators.provider import ledger
from scripts.simulators.provider.provider import Provider
from scripts.simulators.provider.web import Api, Control

LOG = "provider.log"


def main() -> int:
    """Serve. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.simulators.provider", description=__doc__)
    parser.add_argument("--listen", required=True, type=listening.parse_address, metavar="HOST:PORT")
    parser.add_argument("--state", required=True, type=Path, metavar="DIR")
    arguments = parser.parse_args()
    try:
        book = ledger.Ledger.open(arguments.state / LOG)
        sender = hooks.Sender()
        api = Api(Provider(book, Control().key_seconds, sender.tell), book, sender)
        steered.serve("payment provider", api.application(), arguments.listen)
    except journal.JournalInUse as taken:
        listening.give_up(f"payment provider: another process writes {taken}: stop it or choose another --state")
    except OSError as refused:
        listening.give_up(f"payment provider: can't listen on {arguments.listen} or write {arguments.state}: {refused}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
