"""Whatever is wrong with a message or with the wishes about messages, it is refused and changes nothing."""

import pytest

from tests.contract.refused import (
    INVALID,
    MALFORMED,
    SEND,
    TOPIC,
    UNKNOWN,
    WISH,
    WISHES,
    Refused,
    check,
    of_choices,
    of_message,
    of_quiet,
    row,
)
from tests.contract.world import World
from tests.support import audit

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUIET_START, QUIET_END, QUIET_ZONE = (f"quiet_hours.{name}" for name in ("start", "end", "time_zone"))
TOLD = [
    row("a message by a customer", SEND, of_message(), 403, "ACCESS_DENIED"),
    row("a message by nobody", SEND, of_message(), 401, "TOKEN_MISSING", who="nobody"),
    row("an empty message", SEND, {"json": {}}, *INVALID, "user_id", "subject", "text", who="admin"),
    row("two lines for a subject", SEND, of_message(subject="One\r\nBcc: all"), *INVALID, "subject", who="admin"),
    row("too long a text", SEND, of_message(text="t" * 5001), *INVALID, "text", who="admin"),
    row("a channel twice", SEND, of_message(channels=["SMS", "SMS"]), *INVALID, "channels", who="admin"),
    row("no channel", SEND, of_message(channels=["CHANNEL_UNSPECIFIED"]), *INVALID, "channels[0]", who="admin"),
    row("an unheard-of channel", SEND, of_message(channels=["PIGEON"]), *MALFORMED, who="admin"),
    row("an unheard-of kind", SEND, of_message(kind=9), *INVALID, "kind", who="admin"),
    row("a message to nobody", SEND, of_message(user_id=UNKNOWN), 404, "USER_NOT_FOUND", who="admin"),
    row("an offer to one who wants none", SEND, of_message(kind="MARKETING"), 400, "CHANNEL_NOT_CHOSEN", who="admin"),
    row("a channel that is not wanted", SEND, of_message(channels=["SMS"]), 400, "CHANNEL_NOT_CHOSEN", who="admin"),
    row("another's wishes", WISHES, {"params": {"user_id": UNKNOWN}}, 404, "USER_NOT_FOUND"),
    row("unknown wishes", WISHES, {"params": {"user_id": UNKNOWN}}, 404, "USER_NOT_FOUND", who="admin"),
    row("the wishes of none", WISHES, {"params": {"user_id": "none"}}, *INVALID, "user_id", who="admin"),
    row("nobody's wishes", WISHES, {}, 401, "TOKEN_MISSING", who="nobody"),
    row("a wish for nothing", WISH, {"json": {}}, *INVALID, ""),
    row("a wish by nobody", WISH, {"json": {"phone_number": ""}}, 401, "TOKEN_MISSING", who="nobody"),
    row("a number without its country", WISH, {"json": {"phone_number": "0151 1234567"}}, *INVALID, "phone_number"),
    row("a number that is too long", WISH, {"json": {"phone_number": f"+{'1' * 16}"}}, *INVALID, "phone_number"),
    row("a topic for a device", WISH, {"json": {"push_endpoint": TOPIC}}, *INVALID, "push_endpoint"),
    row("half of quiet hours", WISH, {"json": {"quiet_hours": {"start": "22:00"}}}, *INVALID, "quiet_hours"),
    row("quiet hours without an end", WISH, of_quiet("22:00", "22:00", "UTC"), *INVALID, "quiet_hours"),
    row("quiet hours that no clock shows", WISH, of_quiet("24:00", "7:00", "U"), *INVALID, QUIET_START, QUIET_END),
    row("quiet hours on Mars", WISH, of_quiet("22:00", "07:00", "Mars"), 400, "TIME_ZONE_UNKNOWN", QUIET_ZONE),
    row("a kind of nothing", WISH, of_choices({"channels": ["EMAIL"]}), *INVALID, "choices[0].kind"),
    row("a kind twice", WISH, of_choices({"kind": "ORDER"}, {"kind": "ORDER"}), *INVALID, "choices"),
    row("no mail at all", WISH, of_choices({"kind": "ACCOUNT"}), 400, "CHANNEL_REQUIRED", "choices"),
    row(
        "channels that lead nowhere",
        WISH,
        of_choices({"kind": "ORDER", "channels": ["SMS", "PUSH"]}),
        *(400, "CHANNEL_WITHOUT_ADDRESS", "phone_number", "push_endpoint"),
    ),
]


@pytest.mark.parametrize("refused", TOLD)
async def test_it_is_refused_and_changes_nothing(world: World, auditor: audit.Auditor, refused: Refused) -> None:
    await check(world, auditor, refused)
