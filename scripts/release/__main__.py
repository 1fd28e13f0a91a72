"""The command line of a release; `make` calls it."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from scripts.release import (
    bill,
    budget,
    canary,
    chart,
    compatibility,
    deploy,
    environments,
    history,
    images,
    jenkins,
    load,
    migrations,
    notify,
    record,
    registry,
    shell,
)
from scripts.release.build import building
from scripts.stack.supervise import problems

VERSION = shell.FOLDER / "version"
# `make values` writes it.
PROMETHEUS = ".souk/cloud/{name}/prometheus"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Answers with a process exit code; a problem is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        COMMANDS[options.command](_shell())
    except problems.StackError as problem:
        print(f"{options.command}: {problem}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.release", description="From a commit to a rolled-out release."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=(command.__doc__ or "").splitlines()[0])
    return parser


def _shell() -> shell.Shell:
    dry = os.environ.get("DRY_RUN", "") not in ("", "0", "no", "false")
    return shell.Shell(dry, registry.environment(shell.ROOT))


def _known() -> history.History:
    return history.History(shell.ROOT, os.environ.get("BUILD_NUMBER", ""))


def _where() -> environments.Environment:
    return environments.read(os.environ.get("ENV", ""), os.environ)


def _released(run: shell.Shell) -> record.Record:
    """What was pushed; in a dry run what would be."""
    if run.dry and not (run.root / record.FILE).exists():
        version = _known().version()
        digests = {image.short: images.digest(run, image) for image in building.IMAGES}
        return record.Record(
            version.text, version.commit, registry.address(dry=True), digests, "sha256:DIGEST_OF_CHART"
        )
    return record.read(run.root)


def version(run: shell.Shell) -> None:
    """The version of this commit."""
    found = _known().version()
    tag = os.environ.get("TAG_NAME", "")
    if history.RELEASE.fullmatch(tag) and not found.release:
        raise problems.StackError(f"this is a build of {tag}, and git does not know that tag here: fetch the tags")
    text = found.text
    (run.root / VERSION).parent.mkdir(parents=True, exist_ok=True)
    (run.root / VERSION).write_text(text)
    print(text)


def breaking(run: shell.Shell) -> None:
    """The contract against the last release."""
    print(f"breaking: {compatibility.check(run, _known())}")


def check_migrations(_: shell.Shell) -> None:
    """Judge the migrations since the last release."""
    found = migrations.check(_known())
    for finding in found:
        print(finding, file=sys.stderr)
    if found:
        raise problems.StackError(f"{len(found)} objections")
    print(f"migrations: they suit the code of {_known().last_release() or 'no release yet'}")


def build_images(run: shell.Shell) -> None:
    """Build the images for all processors, into folders."""
    images.build(run, _known().version())


def bills(run: shell.Shell) -> None:
    """Write the bills of materials."""
    for path in bill.write(run.root, _known().version()):
        print(path.relative_to(run.root))


def scan(run: shell.Shell) -> None:
    """Let the vulnerability gate look at the images."""
    images.judge(run)


def push_images(run: shell.Shell) -> None:
    """Push the images, and note their digests."""
    released = images.push(run, _known().version())
    if not run.dry:
        record.write(run.root, released)


def sign_images(run: shell.Shell) -> None:
    """Sign what was pushed."""
    images.sign(run, _released(run))


def package_chart(run: shell.Shell) -> None:
    """Package the chart under the release's version."""
    chart.package(run, _known().version())


def push_chart(run: shell.Shell) -> None:
    """Push and sign the chart."""
    whole = chart.push(run, _released(run))
    if not run.dry:
        record.write(run.root, whole)


def install_jenkins(run: shell.Shell) -> None:
    """Install Jenkins as code in the cluster that kubectl speaks to."""
    jenkins.install(run)


def roll_out(run: shell.Shell) -> None:
    """Roll the release out to ENV."""
    released = _released(run)
    deploy.require_same_commit(released, _known().version().commit)
    where = _where()
    deploy.upgrade(run, where, released)
    if where.canary.steps:
        canary.Canary.of(run, where).take_back()


def try_out(run: shell.Shell) -> None:
    """Give the release a growing share of ENV's requests, and judge each step."""
    released, where = _released(run), _where()
    deploy.require_same_commit(released, _known().version().commit)
    print(f"canary: {canary.lead(run, where, released, _judge(run, where))}")


def _judge(run: shell.Shell, where: environments.Environment) -> canary.Judge:
    def judge(pods: str, order: Callable[[], None]) -> budget.Calls:
        allowed = where.canary.budget
        if run.dry:
            print(f"# the calls of {pods} for {allowed.seconds:g} s: at most {allowed.ratio:.2%} fail")
            return budget.Calls(0, 0)
        return budget.watch(budget.Prometheus.at(_prometheus(run, where), where.namespace, pods), allowed, order=order)

    return judge


def roll_back(run: shell.Shell) -> None:
    """Bring back what was in ENV before."""
    where = _where()
    if where.canary.steps and canary.Canary.of(run, where).take_back():
        print(f"rollback: no request goes to the canary of {where.name} any more")
    print(f"rollback: {deploy.roll_back(run, where)}")


def smoke(run: shell.Shell) -> None:
    """Wait for the roll-out and place an order."""
    deploy.smoke(run, _where())


def load_test(run: shell.Shell) -> None:
    """Send orders to ENV's edge, and hold it to the thresholds."""
    where = _where()
    wanted = environments.load_wanted(where.load, os.environ)
    if not wanted.rate:
        print(f"load test: none in {where.name}")
    elif run.dry:
        print(f"# {wanted.rate:g} orders a second to {where.edge_url} for {wanted.seconds:g} s")
    elif found := load.test(where.edge_url, wanted, run.root, load.Purchase(where.payment_method)):
        raise problems.StackError("; ".join(found))


def check_budget(run: shell.Shell) -> None:
    """Watch ENV's error ratio after a roll-out."""
    where = _where()
    if run.dry:
        url = where.prometheus_url or "prometheus"
        print(f"# {url}/api/v1/query for {where.budget.seconds:g} s: at most {where.budget.ratio:.2%} fail")
        return
    prometheus = budget.Prometheus.at(_prometheus(run, where), where.namespace)
    since_s = deploy.seconds_since(run, where)
    seen = budget.watch(prometheus, where.budget, since_s=since_s, order=lambda: deploy.smoke(run, where))
    print(f"budget: {seen.failed:.0f} of {seen.all:.0f} calls failed: within {where.budget.ratio:.2%}")


def _prometheus(run: shell.Shell, where: environments.Environment) -> str:
    """Where the environment's Prometheus answers. Raises a StackError when nobody has said that."""
    written = run.root / PROMETHEUS.format(name=where.name)
    if not (url := where.prometheus_url or (written.read_text().strip() if written.exists() else "")):
        raise problems.StackError(
            f"PROMETHEUS_URL_{where.name} is not set, and {written} names none: see `make values`"
        )
    return url


def verified(run: shell.Shell) -> None:
    """Note that ENV took this release well, so that it may go further."""
    if not run.dry:
        record.verified(run.root, _where().name)
    print(f"verified in {_where().name}")


def tell(run: shell.Shell) -> None:
    """Tell people how the build ended (STATUS)."""
    message = notify.text(os.environ.get("STATUS", "done"), os.environ)
    print(message)
    if not run.dry:
        notify.tell(message, os.environ.get("NOTIFY_WEBHOOK", ""))


def sign_out(run: shell.Shell) -> None:
    """Remove the registry's token."""
    registry.sign_out(run.root)


COMMANDS: dict[str, Callable[[shell.Shell], None]] = {
    "version": version,
    "breaking": breaking,
    "migrations": check_migrations,
    "images": build_images,
    "sbom": bills,
    "scan": scan,
    "push": push_images,
    "sign": sign_images,
    "chart-package": package_chart,
    "chart-push": push_chart,
    "canary": try_out,
    "deploy": roll_out,
    "rollback": roll_back,
    "smoke": smoke,
    "load-test": load_test,
    "budget": check_budget,
    "verified": verified,
    "notify": tell,
    "jenkins": install_jenkins,
    "sign-out": sign_out,
}

if __name__ == "__main__":
    sys.exit(main())
