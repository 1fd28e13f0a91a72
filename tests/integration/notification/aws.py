"""SNS for tests: moto's server on loopback, which keeps what it gets; and one that says what it is told to say."""

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

from services.chassis.credentials import Credential
from services.notification.settings import Carrier, Settings
from tests.support import amazon

REGION, CREDENTIALS = amazon.REGION, amazon.CREDENTIALS
# moto takes every number that ends so for one whose owner answered STOP.
OPTED_OUT = "99"

_ERROR = """<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>No.</Message></Error><RequestId>1</RequestId></ErrorResponse>"""
_NOT_OPTED_OUT = """<CheckIfPhoneNumberIsOptedOutResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<CheckIfPhoneNumberIsOptedOutResult><isOptedOut>false</isOptedOut></CheckIfPhoneNumberIsOptedOutResult>
</CheckIfPhoneNumberIsOptedOutResponse>"""
_PUBLISHED = """<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
<MessageId>1</MessageId></PublishResult></PublishResponse>"""


def settings(url: str, **chosen: Any) -> Settings:
    """Settings of a service whose text messages and push messages go to this SNS."""
    usual = {"sns_timeout_s": 2.0, "sns_calls": 4, "most_attempts": 3, "breaker_failures": 1000}
    carried = {"sms": Carrier.SNS, "push": Carrier.SNS, "aws_region": REGION, "sns_endpoint_url": url}
    return Settings(**{"smtp_url": Credential("smtp://127.0.0.1:1"), **carried, **usual, **chosen})


@dataclass(frozen=True)
class Sns:
    """moto's SNS: its address, and what it was given."""

    url: str

    @property
    def _backend(self) -> Any:
        return get_backend("sns")[DEFAULT_ACCOUNT_ID][REGION]

    def texts(self, number: str) -> list[str]:
        """The text messages to a number, oldest first."""
        return [text for to, text in self._backend.sms_messages.values() if to == number]

    def device(self, platform: str = "GCM") -> str:
        """A new device: the ARN of its endpoint."""
        app = self._backend.create_platform_application("souk", platform, {})
        token = secrets.token_hex(16)
        return str(self._backend.create_platform_endpoint(app, "", token, {}).arn)

    def pushes(self, arn: str) -> list[dict[str, Any]]:
        """The push messages to a device, oldest first."""
        return [json.loads(text) for text in self._backend.platform_endpoints[arn].messages.values()]

    def switch_off(self, arn: str) -> None:
        """Disable a device's endpoint, as SNS does when the platform says that the token is not valid any more."""
        self._backend.platform_endpoints[arn].attributes["Enabled"] = False

    def forget(self, arn: str) -> None:
        """Delete a device's endpoint."""
        self._backend.delete_endpoint(arn)


@contextmanager
def moto() -> Iterator[Sns]:
    """moto's server, until the block ends."""
    with amazon.served() as url:
        yield Sns(url)


@dataclass
class Scripted:
    """An SNS that answers every publish with this status and code, or well with 200; and what it was asked."""

    url: str = ""
    status: int = 200
    code: str = ""
    published: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        asked = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        if asked["Action"] == "CheckIfPhoneNumberIsOptedOut":
            return web.Response(text=_NOT_OPTED_OUT, content_type="text/xml")
        self.published.append(asked)
        text = _PUBLISHED if self.status == 200 else _ERROR.format(code=self.code)
        return web.Response(status=self.status, text=text, content_type="text/xml")


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """An SNS that says what it is told to say, until the block ends."""
    made = Scripted()
    app = web.Application()
    app.router.add_post("/", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()
