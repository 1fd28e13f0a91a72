"""Runs the payment provider until SIGTERM or SIGINT. The package's docstring is its manual."""

import argparse
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from scripts.simulators import listening
from scripts.simulators.provider import control, ledger
from scripts.simulators.provider.provider import Provider
from scripts.simulators.provider.web import Api

LOG = "provider.log"
# Hung calls are cut off: whoever waits for them is being tested, and the process has nothing left to do for them.
SHUTDOWN_SECONDS = 0.5


async def _serve(address: listening.Address, book: ledger.Ledger) -> None:
    app = Api(Provider(book, control.Control().key_seconds), book).application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, address.host, address.port).start()
    host, port = runner.addresses[0][:2]
    print(f"payment provider on http://{host}:{port}", flush=True)
    await listening.until_told_to_stop()
    await runner.cleanup()


def main() -> int:
    """Serve. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.simulators.provider", description=__doc__)
    parser.add_argument("--listen", required=True, type=listening.parse_address, metavar="HOST:PORT")
    parser.add_argument("--state", required=True, type=Path, metavar="DIR")
    arguments = parser.parse_args()
    try:
        book = ledger.Ledger.open(arguments.state / LOG)
        uvloop.run(_serve(arguments.listen, book))
    except ledger.LedgerInUse as taken:
        listening.give_up(f"payment provider: another process writes {taken}: stop it or choose another --state")
    except OSError as refused:
        listening.give_up(f"payment provider: can't listen on {arguments.listen} or write {arguments.state}: {refused}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
