"""The command line of the cluster; `make` calls it."""

import argparse
import os
import sys
from collections.abc import Sequence

from scripts.cluster import layout, plane, tools
from scripts.operate import access, first_order, release, share, smoke, status
from scripts.stack.supervise import problems, progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Answers with a process exit code; a problem is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except (problems.StackError, access.AccessError) as problem:
        print(f"cluster: {problem}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.cluster", description="A Kubernetes cluster without nodes."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build = commands.add_parser("tools", help="build the tools that are not there yet")
    build.add_argument("names", nargs="*", metavar="NAME", help="which (all without a name)")
    for name, does in (("up", "start the simulated cluster"), ("down", "stop it and remove its data")):
        plane_command = commands.add_parser(name, help=does)
        plane_command.add_argument("--name", default=layout.MAIN, help="which one (main without it)")
    _released(commands.add_parser("status", help="a release on the cluster that KUBECONFIG names, as a table"))
    check = commands.add_parser("smoke", help="wait for a roll-out, then place an order through the edge")
    _released(check)
    check.add_argument("--edge-url", default=os.environ.get("EDGE_URL", ""), help="where the edge answers (EDGE_URL)")
    check.add_argument("--timeout", type=float, default=smoke.ROLLOUT_S, metavar="S", help="for the roll-out")
    check.add_argument("--sku", action="append", type=first_order.parse_item, metavar="SKU:QTY", help="what to buy")
    check.add_argument("--payment-method", default="card_approved", help="a token of the payment provider")
    shared = commands.add_parser("share", help="the share of requests that a release's canary has, in percent")
    _released(shared)
    shared.add_argument("--to", type=int, choices=range(share.WHOLE + 1), metavar="PERCENT", help="give it this one")
    return parser


def _released(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--release", default="souk", help="its name (souk without it)")
    parser.add_argument("--namespace", default="souk", help="where it is (souk without it)")


def _tools(options: argparse.Namespace) -> int:
    chosen = [tools.named(name) for name in options.names] or tools.EVERY
    tools.build(chosen, progress.Progress())
    for tool in chosen:
        print(f"{tool.name:<16}{tool.version:<10}{tool.home}")
    return 0


def _up(options: argparse.Namespace) -> int:
    report = progress.Progress()
    tools.build(tools.TOOLS, report)
    cluster = layout.chosen(options.name, os.environ)
    plane.up(cluster, report)
    print(f"\nexport KUBECONFIG={cluster.kubeconfig}")
    print(f"export PATH={tools.path('kubectl').parent}:{tools.path('helm').parent}:$PATH")
    return 0


def _down(options: argparse.Namespace) -> int:
    plane.down(layout.chosen(options.name, os.environ), progress.Progress())
    return 0


def _status(options: argparse.Namespace) -> int:
    with access.client() as api:
        found = status.look(release.Release(api, options.release, options.namespace))
    print(status.render(options.release, found))
    return 1 if found.troubles else 0


def _smoke(options: argparse.Namespace) -> int:
    wish = first_order.Wish(tuple(options.sku or first_order.BASKET), options.payment_method, "CONFIRMED")
    with access.client() as api:
        of = release.Release(api, options.release, options.namespace)
        steps = smoke.check(of, options.edge_url.rstrip("/"), wish, progress.Progress(), rollout_s=options.timeout)
    print(f"\n{smoke.render(steps)}")
    return 1 if any(step.result == "failed" for step in steps) else 0


def _share(options: argparse.Namespace) -> int:
    with access.client() as api:
        of = release.Release(api, options.release, options.namespace)
        try:
            if options.to is not None:
                share.write(of, options.to)
            print(share.read(of))
        except share.NoWayError as problem:
            print(f"cluster: {problem}", file=sys.stderr)
            print("none")
            # Nobody is to be given nothing: that is so already.
            return 1 if options.to else 0
    return 0


_COMMANDS = {"tools": _tools, "up": _up, "down": _down, "status": _status, "smoke": _smoke, "share": _share}


if __name__ == "__main__":
    sys.exit(main())
