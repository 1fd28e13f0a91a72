"""A bucket to test against: S3 as moto simulates it, in memory; nothing leaves the machine.

    python -m scripts.simulators.objects --listen HOST:PORT --bucket NAME --region REGION

Everybody may read what lies in it, at http://HOST:PORT/NAME/KEY. It takes every signature, and of a form neither the type nor
the size that it is bound to is enforced. What it keeps ends with it: on SIGTERM, on SIGINT, however it ends.
"""

import argparse
import json
import logging
import signal
import sys
import threading

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import BaseWSGIServer, make_server

from scripts.simulators import listening

PARTITION = "aws"


def _make_bucket(name: str, region: str) -> None:
    """A bucket of which everybody may read every object."""
    backend = s3_backends[DEFAULT_ACCOUNT_ID][PARTITION]
    backend.create_bucket(name, region)
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    backend.put_bucket_policy(name, json.dumps({"Version": "2012-10-17", "Statement": [read]}).encode())


def _stop_on_signal(server: BaseWSGIServer) -> None:
    """End the server on SIGTERM or SIGINT: from another thread, as it waits for the one that serves."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())


def main() -> int:
    """Serve. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.simulators.objects", description=__doc__)
    parser.add_argument("--listen", required=True, type=listening.parse_address, metavar="HOST:PORT")
    parser.add_argument("--bucket", required=True, metavar="NAME")
    parser.add_argument("--region", required=True, metavar="REGION")
    arguments = parser.parse_args()
    address: listening.Address = arguments.listen
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _make_bucket(arguments.bucket, arguments.region)
    try:
        server = make_server(address.host, address.port, create_backend_app("s3"), threaded=True)
    except (OSError, SystemExit) as refused:
        listening.give_up(f"object store: can't listen on {address}: {refused}")
    print(f"bucket {arguments.bucket} on http://{address.host}:{server.port}/{arguments.bucket}", flush=True)
    _stop_on_signal(server)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
