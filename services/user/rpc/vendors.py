"""The calls of applications to become a vendor. Next stop: `usecases/vendors.py`."""

from typing import Any

from services.chassis import idempotency, ids
from services.chassis.rpc import identity, page_tokens
from services.user import messages, usecases
from services.user.domain import vendors
from souk.user.v1 import vendor_applications_pb2


class VendorCalls:
    """The part of `souk.user.v1.UserService` that has to do with becoming a vendor."""

    _users: usecases.Users
    _tokens: page_tokens.PageTokens

    async def ApplyAsVendor(
        self, request: vendor_applications_pb2.ApplyAsVendorRequest, _: Any
    ) -> vendor_applications_pb2.VendorApplication:
        fingerprint = idempotency.fingerprint(request) if request.request_id else b""
        who = usecases.belongings.Wanted(identity.caller().user_id, request.request_id, fingerprint)
        draft = vendors.Draft(*(getattr(request, name) for name in vendors.FIELDS))
        return messages.of_application(await self._users.vendors.apply(who, draft))

    async def GetMyVendorApplication(
        self, _request: vendor_applications_pb2.GetMyVendorApplicationRequest, _: Any
    ) -> vendor_applications_pb2.VendorApplication:
        return messages.of_application(await self._users.vendors.newest(identity.caller().user_id))

    async def WithdrawVendorApplication(
        self, _request: vendor_applications_pb2.WithdrawVendorApplicationRequest, _: Any
    ) -> vendor_applications_pb2.WithdrawVendorApplicationResponse:
        await self._users.vendors.withdraw(identity.caller().user_id)
        return vendor_applications_pb2.WithdrawVendorApplicationResponse()

    async def ListVendorApplications(
        self, request: vendor_applications_pb2.ListVendorApplicationsRequest, _: Any
    ) -> vendor_applications_pb2.ListVendorApplicationsResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        name = vendor_applications_pb2.VendorApplication.State.Name(request.state)
        found = await self._users.vendors.list(vendors.State(name) if request.state else None, page)
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        shown = [messages.of_application(one) for one in found.rows]
        return vendor_applications_pb2.ListVendorApplicationsResponse(applications=shown, next_page_token=token)

    async def ApproveVendorApplication(
        self, request: vendor_applications_pb2.ApproveVendorApplicationRequest, _: Any
    ) -> vendor_applications_pb2.VendorApplication:
        return await self._decided(request, vendors.State.APPROVED)

    async def RejectVendorApplication(
        self, request: vendor_applications_pb2.RejectVendorApplicationRequest, _: Any
    ) -> vendor_applications_pb2.VendorApplication:
        return await self._decided(request, vendors.State.REJECTED)

    async def _decided(
        self,
        request: vendor_applications_pb2.ApproveVendorApplicationRequest
        | vendor_applications_pb2.RejectVendorApplicationRequest,
        state: vendors.State,
    ) -> vendor_applications_pb2.VendorApplication:
        decision = vendors.Decision(request.id.lower(), identity.caller().user_id, state, request.reason)
        return messages.of_application(await self._users.vendors.decide(decision))
