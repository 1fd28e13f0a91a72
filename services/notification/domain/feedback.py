"""What is told of a mail after the mail server took it."""

from dataclasses import dataclass
from enum import StrEnum


class News(StrEnum):
    """What became of a mail. BOUNCED is how the reason of a message that came back begins."""

    # It came back, and so will whatever else is sent there.
    BOUNCED = "BOUNCED"
    # Its reader called it spam.
    COMPLAINED = "COMPLAINED"


@dataclass(frozen=True, slots=True)
class Feedback:
    """News of a mail, by its own id. Without news it is of no concern.

    notification_id is the message that the mail was; empty when that is none of ours. addresses are where it went, in lower
    case. why is a word and a code, and names nobody.
    """

    id: str = ""
    news: News | None = None
    notification_id: str = ""
    addresses: tuple[str, ...] = ()
    why: str = ""

    @property
    def reason(self) -> str:
        """Why the message failed."""
        return f"{News.BOUNCED}: {self.why}" if self.why else str(News.BOUNCED)
