"""`DomainError` to `google.rpc.Status` and back: the one place where our error meets gRPC's.

Every error carries an ErrorInfo with its reason and the service it comes from; wrong fields become one BadRequest, a
failed precondition a PreconditionFailure, a pause a RetryInfo.

A status travels in the trailers of its call, and a peer that finds trailers too large closes the connection, with the calls
of others on it. So a status has an upper bound, whatever the error says: texts are shortened, and violations and further
details left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from services.chassis import errors

_CODES = {kind.value for kind in errors.Code}
CODES = {code.value[0]: code for code in grpc.StatusCode}
_DETAILS_KEY = "grpc-status-details-bin"

# A status has at most so many bytes (in base64 a third more), and names at most so many violations.
MOST_BYTES = 4096
MOST_VIOLATIONS = 20
# The most bytes of one text in it. The message also travels by itself, where each byte may become three.
_MESSAGE_BYTES = 512
_TEXT_BYTES = 256
_METADATA_BYTES = 1024
# What the rest of the largest status takes: its type names, the reason, the precondition, the pause.
_FRAME_BYTES = 1536
_VIOLATIONS_BYTES = MOST_BYTES - _MESSAGE_BYTES - _METADATA_BYTES - _FRAME_BYTES


def render(error: errors.DomainError, domain: str) -> Status:
    """The status that tells of an error raised by the service `domain`: at most MOST_BYTES of it."""
    origin = f"{error.domain or domain}.souk"
    reason, message, metadata = _cut(error.reason, _TEXT_BYTES), error.message, dict(error.metadata)
    fields = _fitting(error.violations)
    violations = int(metadata.get(errors.VIOLATIONS, len(error.violations)))
    # One that came from another service says so already.
    if violations > len(fields) and not error.domain:
        message += f"; the first {len(fields)} of {violations} are listed"
        metadata[errors.VIOLATIONS] = str(violations)
    message = _cut(message, _MESSAGE_BYTES)
    details: list[Any] = [error_details_pb2.ErrorInfo(reason=reason, domain=origin, metadata=_shortened(metadata))]
    if fields:
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    if error.code is errors.Code.FAILED_PRECONDITION:
        violation = error_details_pb2.PreconditionFailure.Violation(type=reason, subject=origin, description=message)
        details.append(error_details_pb2.PreconditionFailure(violations=[violation]))
    if error.retry_after_s is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(error.retry_after_s * 1000))
        details.append(retry)
    status = Status(code=error.code.value, message=message)
    for detail in details:
        status.details.add().Pack(detail)
    for extra in error.details:
        status.details.add().Pack(extra)
        if status.ByteSize() > MOST_BYTES:
            del status.details[-1]
    return status


def _fitting(violations: Sequence[errors.Violation]) -> list[error_details_pb2.BadRequest.FieldViolation]:
    """The first violations, as many as there is room for."""
    fields: list[error_details_pb2.BadRequest.FieldViolation] = []
    room = _VIOLATIONS_BYTES
    for violation in violations[:MOST_VIOLATIONS]:
        field = error_details_pb2.BadRequest.FieldViolation(
            field=_cut(violation.field, _TEXT_BYTES),
            description=_cut(violation.description, _TEXT_BYTES),
            reason=_cut(violation.reason, _TEXT_BYTES),
        )
        # The length before it and its key take up to four bytes.
        room -= field.ByteSize() + 4
        if room < 0:
            break
        fields.append(field)
    return fields


def _shortened(metadata: Mapping[str, str]) -> dict[str, str]:
    """The entries that there is room for, each shortened."""
    kept: dict[str, str] = {}
    room = _METADATA_BYTES
    for name, text in metadata.items():
        value = _cut(text, _TEXT_BYTES)
        room -= len(name.encode()) + len(value.encode()) + 8
        if room >= 0:
            kept[name] = value
    return kept


def _cut(text: str, most: int) -> str:
    """The text, or as much of its beginning as fits into so many bytes of UTF-8, dots included."""
    sent = text.encode()
    return text if len(sent) <= most else sent[: most - 3].decode(errors="ignore") + "..."


async def abort(context: grpc.aio.ServicerContext[Any, Any], status: Status) -> None:
    """End the call with this status. Not `abort_with_status`: OpenTelemetry would record OK for it."""
    metadata = ((_DETAILS_KEY, status.SerializeToString()),)
    await context.abort(CODES[status.code], status.message, metadata)


def parse(call_error: grpc.aio.AioRpcError) -> Exception:
    """What a failed call raises here: the DomainError that the other side raised, or TransientError when it is unavailable."""
    status = rpc_status.from_call(call_error)  # type: ignore[arg-type]  # its types know only the blocking kind of call
    return (_told(status) if status else None) or _bare(call_error)


def error_of(status: Status) -> errors.DomainError:
    """The error in a status that `render` made and an answer carries, such as that of one item of a batch."""
    return _told(status) or errors.DomainError(errors.Code.INTERNAL, "CALL_FAILED", status.message)


def _told(status: Status) -> errors.DomainError | None:
    """The error that a service of ours told; None for any other status."""
    info = _detail(status, error_details_pb2.ErrorInfo())
    if info is None or status.code not in _CODES:
        return None
    bad = _detail(status, error_details_pb2.BadRequest())
    retry = _detail(status, error_details_pb2.RetryInfo())
    return errors.DomainError(
        code=errors.Code(status.code),
        reason=info.reason,
        message=status.message,
        metadata=dict(info.metadata),
        violations=tuple(errors.Violation(v.field, v.description, v.reason) for v in bad.field_violations)
        if bad
        else (),
        retry_after_s=retry.retry_delay.ToMilliseconds() / 1000 if retry else None,
        domain=info.domain.removesuffix(".souk"),
    )


def _detail(status: Status, wanted: Any) -> Any:
    for packed in status.details:
        detail: AnyMessage = packed
        if detail.Unpack(wanted):
            return wanted
    return None


def _bare(call_error: grpc.aio.AioRpcError) -> Exception:
    code = call_error.code()
    text = f"{code.name}: {call_error.details()}"
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
        return errors.TransientError(text)
    return errors.DomainError(errors.Code.INTERNAL, "CALL_FAILED", text)
