"""The secrets of an environment whose region is lost, for the one that takes its place, out of the copies in the second region.

    python -m scripts.cloud.takeover souk/prod souk/away eu-west-1

Terraform has made the new ones, empty. Those that open databases and caches are made anew by the job `credentials`; the others
are what they were: tokens of customers stay valid, and the payment provider knows the shop.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import boto3

# What opens a server of the region that is lost.
_OF_SERVERS = ("-database", "-migration", "/redis")


def take_over(client: Any, old: str, new: str) -> list[str]:
    """Fill those of the new ones that are empty: their names. Raises KeyError when an old one was never filled."""
    filled = []
    for name in _named(client, f"{new}/"):
        if f"/{name}".endswith(_OF_SERVERS) or _value(client, f"{new}/{name}") is not None:
            continue
        value = _value(client, f"{old}/{name}")
        if value is None:
            raise KeyError(f"{old}/{name} has no copy here, or nothing is in it")
        client.put_secret_value(SecretId=f"{new}/{name}", SecretString=value)
        filled.append(name)
    return filled


def _named(client: Any, path: str) -> Iterator[str]:
    pages = client.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [path]}])
    names = sorted(secret["Name"] for page in pages for secret in page["SecretList"])
    return (name.removeprefix(path) for name in names if name.startswith(path))


def _value(client: Any, name: str) -> str | None:
    try:
        return str(client.get_secret_value(SecretId=name)["SecretString"])
    except client.exceptions.ResourceNotFoundException:
        return None


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says. Answers with a process exit code; a problem is one line on stderr."""
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    old, new, region = arguments
    try:
        for name in take_over(boto3.client("secretsmanager", region_name=region), old, new):
            print(f"{new}/{name}")
    except KeyError as problem:
        print(f"takeover: {problem.args[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
