"""The command: audits, says what it looked at, and ends with 1 when something does not agree."""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.operate.audit import cases
from scripts.operate.audit.books import INVARIANTS, Books
from services import registry

SHOWN = 50
# An order that came to rest so long ago is at rest with everybody. Seconds.
AT_REST_S = 10.0
# What does not agree may be on its way: it is asked about again after so long.
AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Report:
    """How many orders were looked at, what does not agree, and what could not be compared."""

    orders: int
    problems: Sequence[str]
    remarks: Sequence[str]


def audit(books: Books, *, at_rest_s: float = AT_REST_S, again_s: float = AGAIN_S) -> Report:
    """Compare everything."""
    orders, suspicious = 0, list[str]()
    for looked_at in books.at_rest(at_rest_s):
        orders += len(looked_at)
        suspicious += [case.order.id for case in looked_at if list(cases.disagreements(case))]
    strangers = list(books.paid_by_nobody())
    if suspicious or strangers:
        time.sleep(again_s)
    # Whoever went on in the meantime is looked at another time.
    again = [case for case in books.cases(suspicious) if case.order.step in cases.RESTS]
    problems = [complaint for case in again for complaint in cases.disagreements(case)]
    problems += [f"money was taken for order {order}, which is not there" for order in strangers]
    compared, remarks = _with_provider(books)
    return Report(orders, [*problems, *books.broken_invariants(), *compared, *books.waiting()], remarks)


def _with_provider(books: Books) -> tuple[list[str], list[str]]:
    """What does not agree with the provider, or why it could not be compared."""
    theirs = books.taken_by_provider() if books.provider_url else None
    if theirs is None:
        return [], ["not compared with the provider: it tells no totals"]
    if books.under_way():
        return [], ["not compared with the provider: payments are under way"]
    ours = books.taken()
    return ([f"the provider took {theirs}, the payments say {ours}"] if ours != theirs else []), []


def books_of(environment: Mapping[str, str]) -> Books:
    """The books that an environment names. Raises KeyError for a database that the rules are about and it does not."""
    known = {name: f"{name.upper()}_DATABASE_URL" for name in (*INVARIANTS, *registry.load().services)}
    urls = {
        name: environment[variable] for name, variable in known.items() if name in INVARIANTS or variable in environment
    }
    return Books(urls, environment.get("PAYMENT_PROVIDER_URL", ""), environment.get("CARRIER_URL", ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit what the environment names. Answers with a process exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.operate.audit", description="Do orders, money, stock and parcels agree?"
    )
    parser.add_argument("--at-rest", type=float, default=AT_REST_S, metavar="SECONDS", help="leave out younger orders")
    options = parser.parse_args(arguments)
    try:
        books = books_of(os.environ)
    except KeyError as missing:
        print(f"audit: {missing.args[0]} is not set: make run, or give the databases' addresses", file=sys.stderr)
        return 2
    report = audit(books, at_rest_s=options.at_rest)
    for line in report.problems[:SHOWN]:
        print(line)
    for remark in report.remarks:
        print(remark)
    found = f"{len(report.problems)} disagreement(s)" if report.problems else "orders, money and stock agree"
    print(f"{report.orders} orders at rest were looked at: {found}")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
