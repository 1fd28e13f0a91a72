"""The calls of sign-in with other providers. Next stop: `usecases/providers.py`."""

from typing import Any

from services.chassis.rpc import identity, render
from services.user import domain, messages, usecases
from services.user.domain import providers as rules
from services.user.usecases import providers
from souk.user.v1 import oauth_pb2, user_service_pb2


class ProviderCalls:
    """The part of `souk.user.v1.UserService` that has to do with other providers."""

    _users: usecases.Users

    async def ListSignInProviders(
        self, _request: oauth_pb2.ListSignInProvidersRequest, _: Any
    ) -> oauth_pb2.ListSignInProvidersResponse:
        return oauth_pb2.ListSignInProvidersResponse(providers=self._users.providers.names())

    async def BeginProviderSignIn(
        self, request: oauth_pb2.BeginProviderSignInRequest, _: Any
    ) -> oauth_pb2.BegunProviderSignIn:
        return _begun(await self._users.providers.begin(request.provider))

    async def CompleteProviderSignIn(
        self, request: oauth_pb2.CompleteProviderSignInRequest, context: Any
    ) -> user_service_pb2.Session:
        origin = domain.Origin(identity.client_address(context), identity.user_agent(context))
        answer = _answer(request, request.second_factor_code)
        return messages.of_session(await self._users.providers.complete(answer, origin))

    async def ListLinks(self, _request: oauth_pb2.ListLinksRequest, _: Any) -> oauth_pb2.ListLinksResponse:
        found = await self._users.providers.links(identity.caller().user_id)
        return oauth_pb2.ListLinksResponse(links=[messages.of_link(link) for link in found])

    async def BeginLink(self, request: oauth_pb2.BeginLinkRequest, _: Any) -> oauth_pb2.BegunProviderSignIn:
        user_id = identity.caller().user_id
        return _begun(await self._users.providers.begin_link(user_id, request.provider, request.current_password))

    async def CompleteLink(self, request: oauth_pb2.CompleteLinkRequest, _: Any) -> oauth_pb2.SignInLink:
        link = await self._users.providers.complete_link(identity.caller().user_id, _answer(request))
        return messages.of_link(link)

    async def DeleteLink(self, request: oauth_pb2.DeleteLinkRequest, _: Any) -> oauth_pb2.DeleteLinkResponse:
        await self._users.providers.unlink(identity.caller().user_id, request.provider)
        return oauth_pb2.DeleteLinkResponse()


def _begun(started: providers.Started) -> oauth_pb2.BegunProviderSignIn:
    return oauth_pb2.BegunProviderSignIn(
        authorization_url=started.address, binding=started.binding, expire_time=render.timestamp(started.expire_time)
    )


def _answer(
    request: oauth_pb2.CompleteProviderSignInRequest | oauth_pb2.CompleteLinkRequest, second_factor_code: str = ""
) -> rules.Answer:
    return rules.Answer(request.provider, request.state, request.code, request.binding, request.iss, second_factor_code)
