"""Text messages and push messages: over Amazon SNS, or into the log where there is no AWS.

SNS has no key for what it is asked twice. So a call is made once (the library repeats none), and what is not an answer is
unknown: the worker tries again, at the risk of a second copy. A push carries the message's id, by which an app can tell; a
text message carries nothing.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import jinja2
from botocore import config, exceptions

from services.chassis import breaker
from services.notification import domain, words
from services.notification.domain import Channel, Outcome, Result
from services.notification.settings import Settings

_LOG = logging.getLogger(__name__)

# SNS will never send it there: no such number or device, or one that was switched off.
DEFINITE_NO = frozenset({"InvalidParameter", "ParameterValueInvalid", "EndpointDisabled", "NotFound", "OptedOut"})
# SNS takes nothing from us for now, whatever the message is: too much at once, or our own credentials.
NOT_NOW = frozenset({
    "Throttling", "ThrottlingException", "Throttled", "TooManyRequestsException", "ServiceUnavailable",
    "AccessDenied", "AccessDeniedException", "AuthorizationError", "ExpiredToken", "ExpiredTokenException",
    "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "PlatformApplicationDisabled",
})  # fmt: skip
# Nothing was handed over: there was nobody to talk to, or we have nothing to show.
NOT_ASKED = (
    exceptions.EndpointConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
)


class _UnansweredError(Exception):
    """A call that counts against the breaker, and what came of it."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.reason)
        self.result = result


@dataclass(frozen=True, slots=True)
class _Started:
    """What exists only while the process runs: the client, its threads, and the breaker in front of them."""

    client: Any
    threads: ThreadPoolExecutor
    breaker: breaker.Breaker


class Sns:
    """SNS for one channel, SMS or PUSH. A part of the process."""

    def __init__(self, channel: Channel, settings: Settings, templates: words.Templates) -> None:
        self._channel = channel
        self._settings = settings
        self._templates = templates
        self._started: _Started | None = None

    async def start(self) -> None:
        """Get ready to call; nothing is connected yet."""
        circuit = await breaker.made(
            f"sns-{self._channel.lower()}",
            failures=self._settings.breaker_failures,
            reset_s=self._settings.breaker_reset_s,
        )
        # The library reads its description of SNS from files.
        client = await asyncio.to_thread(_client, self._settings)
        threads = ThreadPoolExecutor(self._settings.sns_calls, thread_name_prefix=f"sns-{self._channel.lower()}")
        self._started = _Started(client, threads, circuit)

    async def stop(self) -> None:
        """Close all connections. Calls under way end by their time-outs."""
        if self._started:
            self._started.threads.shutdown(wait=False, cancel_futures=True)
            self._started.client.close()

    def room(self, most: int) -> int:
        """How many of `most` messages may be sent now: none while the breaker is open, one to try SNS again."""
        return self._running.breaker.room(most)

    async def send(self, notification: domain.Notification, contact: domain.Contact) -> Result:
        """Hand a message to SNS. Raises nothing."""
        try:
            text = self._templates.body(notification, contact)
        except jinja2.TemplateError:
            # A defect of ours: a release may mend it while the message is tried again.
            _LOG.exception("template failed", extra={"notification_id": notification.id})
            return Result(Outcome.DEFERRED, "TEMPLATE_BROKEN")
        publish = self._push if self._channel is Channel.PUSH else self._text
        try:
            async with self._running.breaker:
                return await self._call(lambda: publish(notification, contact, text))
        except breaker.OpenError:
            return Result(Outcome.AWAY, "LEFT_ALONE")
        except _UnansweredError as error:
            extra = {"channel": self._channel, "notification_id": notification.id, "cause": str(error)}
            _LOG.warning("SNS did not take a message", extra=extra)
            return error.result

    @property
    def _running(self) -> _Started:
        if self._started is None:
            raise RuntimeError("the client of SNS was not started")
        return self._started

    async def _call(self, publish: Callable[[], Result]) -> Result:
        """Publish in a thread. Raises _UnansweredError when SNS gave no answer, or none about this message."""
        try:
            async with asyncio.timeout(self._settings.sns_call_s):
                return await asyncio.get_running_loop().run_in_executor(self._running.threads, publish)
        except exceptions.ClientError as error:
            result = _answered(error)
            if result.outcome is Outcome.REFUSED:
                return result
            raise _UnansweredError(result) from error
        except NOT_ASKED as error:
            raise _UnansweredError(Result(Outcome.AWAY, type(error).__name__)) from error
        except (exceptions.BotoCoreError, TimeoutError, OSError) as error:
            # It may have arrived: whoever tries again may send it twice.
            raise _UnansweredError(Result(Outcome.DEFERRED, "NO_ANSWER")) from error

    def _text(self, notification: domain.Notification, contact: domain.Contact, text: str) -> Result:
        client = self._running.client
        # A message to somebody who answered STOP is taken like any other, and thrown away: so it is asked first.
        if client.check_if_phone_number_is_opted_out(phoneNumber=contact.phone_number)["isOptedOut"]:
            return Result(Outcome.REFUSED, "PHONE_OPTED_OUT")
        urgent = notification.kind is not domain.Kind.MARKETING
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional" if urgent else "Promotional"}
        if self._settings.sms_sender_id:
            attributes["AWS.SNS.SMS.SenderID"] = self._settings.sms_sender_id
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        client.publish(PhoneNumber=contact.phone_number, Message=text, MessageAttributes=typed)
        return Result(Outcome.SENT)

    def _push(self, notification: domain.Notification, contact: domain.Contact, text: str) -> Result:
        message = payload(notification, text)
        self._running.client.publish(TargetArn=contact.push_endpoint, Message=message, MessageStructure="json")
        return Result(Outcome.SENT)


class Logged:
    """A channel that writes a line to the log, where there is no AWS: what was sent, to whom not."""

    def __init__(self, channel: Channel, templates: words.Templates) -> None:
        self._channel = channel
        self._templates = templates

    async def start(self) -> None:
        """Nothing to get ready."""

    async def stop(self) -> None:
        """Nothing to close."""

    def room(self, most: int) -> int:
        """The log takes all."""
        return most

    async def send(self, notification: domain.Notification, contact: domain.Contact) -> Result:
        """Write the line. Neither the words nor the address stand in it: they are the customer's. Raises nothing."""
        try:
            text = self._templates.body(notification, contact)
        except jinja2.TemplateError:
            _LOG.exception("template failed", extra={"notification_id": notification.id})
            return Result(Outcome.DEFERRED, "TEMPLATE_BROKEN")
        about = {"channel": self._channel, "notification_id": notification.id, "user_id": notification.user_id}
        _LOG.info("message", extra={**about, "template": notification.template, "characters": len(text)})
        return Result(Outcome.SENT)


def payload(notification: domain.Notification, text: str) -> str:
    """A push message as SNS takes it: a text for each kind of device, with the message's id beside it."""
    alert = {"title": notification.subject[:120], "body": text}
    known = {"notification_id": notification.id, "order_id": notification.order_id}
    apple = _json({"aps": {"alert": alert}, **known})
    google = _json({"fcmV1Message": {"message": {"notification": alert, "data": known}}})
    return _json({"default": text, "APNS": apple, "APNS_SANDBOX": apple, "GCM": google})


def _client(settings: Settings) -> Any:
    options = config.Config(
        connect_timeout=settings.sns_timeout_s,
        read_timeout=settings.sns_timeout_s,
        max_pool_connections=settings.sns_calls,
        retries={"total_max_attempts": 1, "mode": "standard"},  # the worker repeats, counts and waits
    )
    endpoint = settings.sns_endpoint_url or None
    # A session of its own: the library's common one may not be used by several threads while it makes a client.
    return boto3.session.Session().client("sns", settings.aws_region, endpoint_url=endpoint, config=options)


def _answered(error: exceptions.ClientError) -> Result:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in DEFINITE_NO:
        return Result(Outcome.REFUSED, code)
    return Result(Outcome.AWAY if code in NOT_NOW else Outcome.DEFERRED, code or "NO_ANSWER")


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
