"""The command line; the chart's hook calls it before anything starts. See the package's docstring."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError

from scripts.operate.mesh_certificates import authority, folders, issuing, secrets
from services import registry


def main(arguments: Sequence[str] | None = None) -> int:
    """Issue what is missing or due. Answers with a process exit code; a problem is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        wanted = issuing.identities(options.service)
        made = _in_folders(options, wanted) if options.out else _in_cluster(options, wanted)
    except (registry.UnknownServiceError, ConfigException, HTTPError, OSError) as error:
        print(f"mesh certificates: {error}", file=sys.stderr)
        return 1
    except ApiException as error:
        print(f"mesh certificates: the cluster refuses: {error.status} {error.reason}", file=sys.stderr)
        return 1
    print(f"mesh certificates: {len(made)} issued ({', '.join(made) or 'none due'}), {len(wanted) - len(made)} kept")
    return 0


def _in_folders(options: argparse.Namespace, wanted: Sequence[str]) -> list[str]:
    return issuing.ensure(folders.Folders(options.out), dict.fromkeys(wanted, ()), authority.now())


def _in_cluster(options: argparse.Namespace, wanted: Sequence[str]) -> list[str]:
    try:
        config.load_incluster_config()
    except ConfigException:
        config.load_kube_config()
    keeper = secrets.Secrets(client.CoreV1Api(), options.namespace, options.secret_prefix)
    named = {
        name: secrets.names(name, options.namespace, options.secret_prefix, options.cluster_domain) for name in wanted
    }
    return issuing.ensure(keeper, named, authority.now())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.operate.mesh_certificates", description="Issues the certificates of the mesh."
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--namespace", help="write Secrets into this namespace of the cluster")
    where.add_argument("--out", type=Path, help="write folders below this one")
    parser.add_argument("--secret-prefix", default="souk-", help="what Secrets and Services begin with (souk-)")
    parser.add_argument("--cluster-domain", default="cluster.local", help="the cluster's DNS domain (cluster.local)")
    parser.add_argument(
        "--service", action="append", default=[], help="only this service, or `edge`; repeatable (all without one)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
