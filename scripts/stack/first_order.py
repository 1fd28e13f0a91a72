"""The first order of `make run`: as any customer's (`scripts.operate.first_order`), and its mail is looked for besides.

    python -m scripts.stack.first_order [--cart WORDS] [--coupon CODE] [--sku SKU:QTY]
        [--payment-method TOKEN] [--expect DELIVERED [--send-back]]

`MAIL_STORE` (from the environment, else from `.souk/env`) is where the stack's mail server keeps what it was sent; without it
only the order is placed. Without arguments it goes by way of search, cart and coupon, until it is delivered and a line of it
comes back.
"""

import asyncio
import functools
import sys
import time
from pathlib import Path

from scripts.operate import environment, first_cart, first_order
from scripts.simulators import mailbox

# What the sample shop has is looked for, its coupon is used, and the parcel arrives soon: the carrier's clock runs fast.
STORY = ("--cart", "coffee", "--coupon", first_cart.COUPON, "--expect", first_order.DELIVERED, "--send-back")


def main() -> int:
    """Place the order that the command line describes. Answers with a process exit code."""
    store = environment.here().get("MAIL_STORE", "")
    return first_order.main(
        sys.argv[1:] or STORY, find_mail=functools.partial(found_mail, Path(store)) if store else None
    )


async def found_mail(store: Path, to: str, subject: str) -> str:
    """Where the mail lies. Raises Disappointed when the server does not have it."""
    deadline = time.monotonic() + first_order.MAIL_SECONDS
    while time.monotonic() < deadline:
        for mail in mailbox.read_index(store, to=to):
            if mail.subject == subject:
                return f"{store / mailbox.MESSAGES}, byte {mail.offset}"
        await asyncio.sleep(first_order.POLL_SECONDS)
    raise first_order.Disappointed(f"the mail server keeps no mail to {to} with the subject {subject!r}")


if __name__ == "__main__":
    sys.exit(main())
