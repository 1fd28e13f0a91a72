"""`DomainError` to `google.rpc.Status` and back: the one place where our error meets gRPC's.

Every error carries an ErrorInfo with its reason and the service it comes from; wrong fields become one BadRequest with all
of them, a failed precondition a PreconditionFailure, a pause a RetryInfo.
"""

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from services.chassis import errors

_KINDS = {kind.value for kind in errors.Kind}
CODES = {code.value[0]: code for code in grpc.StatusCode}
_DETAILS_KEY = "grpc-status-details-bin"


def render(error: errors.DomainError, domain: str) -> Status:
    """The status that tells of an error raised by the service `domain`."""
    origin = f"{error.domain or domain}.souk"
    details: list[Any] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=origin, metadata=dict(error.metadata))
    ]
    if error.violations:
        fields = [
            error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description, reason=v.reason)
            for v in error.violations
        ]
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    if error.kind is errors.Kind.FAILED_PRECONDITION:
        violation = error_details_pb2.PreconditionFailure.Violation(
            type=error.reason, subject=origin, description=error.message
        )
        details.append(error_details_pb2.PreconditionFailure(violations=[violation]))
    if error.retry_after_s is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(error.retry_after_s * 1000))
        details.append(retry)
    status = Status(code=error.kind.value, message=error.message)
    for detail in details:
        status.details.add().Pack(detail)
    return status


async def abort(context: grpc.aio.ServicerContext[Any, Any], status: Status) -> None:
    """End the call with this status. Not `abort_with_status`: OpenTelemetry would record OK for it."""
    metadata = ((_DETAILS_KEY, status.SerializeToString()),)
    await context.abort(CODES[status.code], status.message, metadata)


def parse(call_error: grpc.aio.AioRpcError) -> Exception:
    """What a failed call raises here: the DomainError that the other side raised, or TransientError when it is away."""
    status = rpc_status.from_call(call_error)  # type: ignore[arg-type]  # its types know only the blocking kind of call
    info = _detail(status, error_details_pb2.ErrorInfo()) if status else None
    if status is None or info is None or status.code not in _KINDS:
        return _bare(call_error)
    bad = _detail(status, error_details_pb2.BadRequest())
    retry = _detail(status, error_details_pb2.RetryInfo())
    return errors.DomainError(
        kind=errors.Kind(status.code),
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
    return errors.DomainError(errors.Kind.INTERNAL, "CALL_FAILED", text)
