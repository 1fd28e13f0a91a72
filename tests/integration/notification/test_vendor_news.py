"""Who applied to become a vendor is told once what was decided, and not in the administrator's words."""

import pytest

from souk.user.v1 import user_events_pb2
from tests.integration.notification.post_office import PostOffice, new_id, registered
from tests.support import mails


@pytest.mark.parametrize(
    ("approved", "subject", "next_step"),
    [
        (True, "You may sell at Souk", "Sign in again"),
        (False, "Your application to become a vendor is rejected", "Your account shows why"),
    ],
)
@pytest.mark.parametrize("verified", [True, False])
async def test_a_decision_is_told_once_also_to_an_address_that_is_not_verified(
    office: PostOffice, subject: str, next_step: str, *, approved: bool, verified: bool
) -> None:
    user = new_id()
    decided = user_events_pb2.VendorApplicationDecided(user_id=user, application_id=new_id(), approved=approved)
    await office.hear(registered(user, f"{user}@example.com", verified=verified))
    await office.hear(decided)
    await office.hear(decided)
    await office.reach(user, "SENT", "SENT")

    [mail] = [mail for mail in office.mails(f"{user}@example.com") if "Welcome" not in str(mail["Subject"])]
    assert mail["Subject"] == subject
    assert next_step in mails.text(mail)
