"""Mutual TLS between services: who gets in, who does not, and certificates that change while calls run."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cryptography import x509

from scripts.operate.mesh_certificates import authority, folders
from services.chassis import errors
from services.chassis.errors import Code
from services.chassis.rpc import certificates, client, identity, server
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from souk.type.v1 import address_pb2
from tests.support import calls, polling

_CATALOG: Any = catalog_service_pb2_grpc.CatalogServiceServicer
CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
OFFERS = catalog_service_pb2.BatchGetOffersRequest(skus=["A"])
CATEGORY = catalog_service_pb2.PutCategoryRequest(slug="tea", title="Tea")
ADMIN = "01900000-0000-7000-8000-0000000000aa"


class Catalog(_CATALOG):  # type: ignore[misc]  # a servicer that leaves most methods out, which its type forbids
    """Answers services, people and anybody, and remembers whose certificates it saw."""

    def __init__(self) -> None:
        self.caller = identity.NOBODY
        self.serials: set[int] = set()

    async def BatchGetOffers(self, request: Any, context: Any) -> Any:
        self.caller = identity.caller()
        [certificate] = context.auth_context()["x509_pem_cert"]
        self.serials.add(x509.load_pem_x509_certificate(certificate).serial_number)
        offers = [product_pb2.Offer(sku=sku) for sku in request.skus]
        return catalog_service_pb2.BatchGetOffersResponse(offers=offers)

    async def PutCategory(self, request: Any, _: Any) -> Any:
        self.caller = identity.caller()
        return product_pb2.Category(slug=request.slug)

    async def ListCategories(self, _request: Any, _context: Any) -> Any:
        return catalog_service_pb2.ListCategoriesResponse()


class Issuer:
    """A CA and the folders that its certificates lie in."""

    def __init__(self, root: Path) -> None:
        self.authority = authority.Authority.made(authority.now())
        self.folders = folders.Folders(root)

    def issue(self, name: str, *, names: tuple[str, ...] = ()) -> int:
        """Put a new certificate into the folder of an identity: its serial number."""
        pair = self.authority.issue(name, names, authority.now())
        self.folders.write(f"{name}-tls", pair, self.authority.pair.certificate)
        return x509.load_pem_x509_certificate(pair.certificate).serial_number

    def own(self, name: str) -> certificates.Certificates:
        """What the service of this name has."""
        if not self.folders.folder(name).exists():
            self.issue(name)
        return certificates.Certificates(self.folders.folder(name))


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path / "tls")


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at with every call, so that a test need not wait."""
    monkeypatch.setattr(certificates, "LOOK_EVERY_S", 0.0)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


@pytest_asyncio.fixture
async def shop(issuer: Issuer, catalog: Catalog) -> AsyncIterator[calls.Shop]:
    """A catalog that speaks mutual TLS."""
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    async with calls.served(server.Servicer(CATALOG, add, catalog), "catalog", own=issuer.own("catalog")) as shop:
        yield shop


class Caller:
    """A service that calls the catalog as services do."""

    def __init__(self, peer: client.Peer) -> None:
        self.peer = peer
        self.stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)

    async def offers(self) -> Any:
        return await self.peer.call(self.stub.BatchGetOffers, OFFERS)


@asynccontextmanager
async def calling(address: str, name: str, own: certificates.Certificates | None) -> AsyncIterator[Caller]:
    peer = client.Peer(address, CATALOG, identity.Mesh(calls.MESH_KEY, name, own), traced=False)
    try:
        yield Caller(peer)
    finally:
        await peer.stop()


async def test_a_service_that_the_contract_names_is_served_by_its_certificate_alone(
    shop: calls.Shop, issuer: Issuer, catalog: Catalog
) -> None:
    async with calling(shop.address, "order", issuer.own("order")) as order:
        assert [offer.sku for offer in (await order.offers()).offers] == ["A"]
    assert catalog.caller == identity.Caller(service="order")


async def test_a_service_of_the_same_authority_that_the_contract_does_not_name_is_refused(
    shop: calls.Shop, issuer: Issuer
) -> None:
    async with calling(shop.address, "payment", issuer.own("payment")) as payment:
        with pytest.raises(errors.DomainError) as refused:
            await payment.offers()
    assert (refused.value.code, refused.value.reason) == (Code.PERMISSION_DENIED, "ACCESS_DENIED")


async def test_a_token_of_the_mesh_does_not_make_another_of_a_certificate(shop: calls.Shop, issuer: Issuer) -> None:
    async with calling(shop.address, "payment", issuer.own("payment")) as payment:
        call = payment.stub.BatchGetOffers(OFFERS, metadata=shop.as_service("order"))
        assert (await calls.refused(call)).reason == "ACCESS_DENIED"


async def test_what_people_may_call_comes_from_the_edge(shop: calls.Shop, issuer: Issuer, catalog: Catalog) -> None:
    metadata = shop.as_user(ADMIN, "ADMIN")
    async with calling(shop.address, "edge", issuer.own("edge")) as edge:
        await edge.stub.PutCategory(CATEGORY, metadata=metadata)
        assert catalog.caller.user_id == ADMIN
        assert (await calls.refused(edge.stub.PutCategory(CATEGORY))).reason == "TOKEN_MISSING"
        assert (await calls.refused(edge.stub.BatchGetOffers(OFFERS, metadata=metadata))).reason == "ACCESS_DENIED"
    async with calling(shop.address, "order", issuer.own("order")) as order:
        stolen = await calls.refused(order.stub.PutCategory(CATEGORY, metadata=metadata))
        assert (stolen.code, stolen.reason) == (Code.PERMISSION_DENIED, "ACCESS_DENIED")


async def test_what_anybody_may_call_every_service_may(shop: calls.Shop, issuer: Issuer) -> None:
    async with calling(shop.address, "payment", issuer.own("payment")) as payment:
        await payment.stub.ListCategories(catalog_service_pb2.ListCategoriesRequest())


async def test_a_certificate_of_another_authority_is_refused(shop: calls.Shop, issuer: Issuer, tmp_path: Path) -> None:
    foreign = Issuer(tmp_path / "foreign")
    pair = foreign.authority.issue("order", (), authority.now())
    # It trusts the catalog's authority, so that nobody but the catalog can refuse.
    foreign.folders.write("order-tls", pair, issuer.authority.pair.certificate)
    async with calling(shop.address, "order", certificates.Certificates(foreign.folders.folder("order"))) as order:
        with pytest.raises(errors.TransientError):
            await order.offers()


async def test_a_server_of_another_authority_is_not_believed(shop: calls.Shop, tmp_path: Path) -> None:
    async with calling(shop.address, "order", Issuer(tmp_path / "foreign").own("order")) as order:
        with pytest.raises(errors.TransientError):
            await order.offers()


async def test_plain_text_is_refused(shop: calls.Shop) -> None:
    async with calling(shop.address, "order", None) as order:
        with pytest.raises(errors.TransientError):
            await order.offers()


async def test_a_client_without_a_certificate_is_refused(shop: calls.Shop, issuer: Issuer) -> None:
    credentials = grpc.ssl_channel_credentials(issuer.authority.pair.certificate)
    options = [("grpc.ssl_target_name_override", "catalog")]
    async with grpc.aio.secure_channel(shop.address, credentials, options=options) as channel:
        stub = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListCategories(catalog_service_pb2.ListCategoriesRequest())
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_another_service_at_the_catalogs_address_is_not_taken_for_it(issuer: Issuer, catalog: Catalog) -> None:
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    async with (
        calls.served(server.Servicer(CATALOG, add, catalog), "payment", own=issuer.own("payment")) as impostor,
        calling(impostor.address, "order", issuer.own("order")) as order,
    ):
        with pytest.raises(errors.TransientError):
            await order.offers()
    assert catalog.caller == identity.NOBODY


async def test_a_certificate_without_an_identity_of_the_mesh_names_no_service() -> None:
    for peer in ({}, {"peer_spiffe_id": [b"spiffe://elsewhere/order"]}, {"peer_spiffe_id": [b"spiffe://souk/a"] * 2}):
        with pytest.raises(errors.DomainError, match="does not name a service"):
            certificates.caller(peer)


async def test_certificates_change_on_both_sides_while_calls_run_and_none_fails(
    shop: calls.Shop, issuer: Issuer, catalog: Catalog
) -> None:
    done = 0
    ending = asyncio.Event()

    async def keep_calling(order: Caller) -> None:
        nonlocal done
        while not ending.is_set():
            assert len((await order.offers()).offers) == 1
            done += 1

    async with calling(shop.address, "order", issuer.own("order")) as order:
        callers = [asyncio.create_task(keep_calling(order)) for _ in range(8)]
        for _ in range(5):
            issuer.issue("catalog")
            fresh, before = issuer.issue("order"), done

            async def seen(serial: int = fresh, least: int = before + 50) -> bool:
                assert not any(caller.done() for caller in callers)
                return serial in catalog.serials and done >= least

            await polling.eventually(seen, within_s=20)
        ending.set()
        await asyncio.gather(*callers)


async def test_a_server_shows_its_new_certificate_to_who_connects_next(shop: calls.Shop, issuer: Issuer) -> None:
    before = await shown(shop.address)
    fresh = issuer.issue("catalog")
    assert before != await shown(shop.address) == fresh


async def test_files_that_do_not_fit_together_are_left_until_they_do(issuer: Issuer) -> None:
    own = issuer.own("order")
    good = own.current()
    folder = issuer.folders.folder("order")
    pair = issuer.authority.issue("order", (), authority.now())
    (folder / "tls.crt").unlink()
    assert own.current() is good
    (folder / "tls.crt").write_bytes(pair.certificate)
    assert own.current() is good
    (folder / "tls.key").unlink()
    (folder / "tls.key").write_bytes(pair.key)
    assert own.current().certificate == pair.certificate


async def shown(address: str) -> int:
    """The serial number of the certificate that a server shows to a new connection."""
    host, _, port = address.rpartition(":")
    pem = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


async def test_many_handshakes_at_once_leave_the_server_alive(shop: calls.Shop, issuer: Issuer) -> None:
    """gRPC ends the process when it exchanges the credentials of a server between two of them."""
    issuer.issue("order")
    folder = issuer.folders.folder("order")
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    context.set_alpn_protocols(["h2"])
    host, _, port = shop.address.rpartition(":")

    async def shake_hands() -> None:
        _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname="catalog")
        writer.close()

    for _ in range(5):
        await asyncio.gather(*(shake_hands() for _ in range(60)))
    async with calling(shop.address, "order", issuer.own("order")) as order:
        assert (await order.offers()).offers


_ORDERS: Any = order_service_pb2_grpc.OrderServiceServicer
ORDER = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
CREATION = order_service_pb2.CreateOrderRequest(
    items=[order_service_pb2.CreateOrderRequest.Item(sku="A", quantity=1)],
    shipping_address=address_pb2.Address(recipient="A", line1="1", city="T", postal_code="N", country="GB"),
)


class Orders(_ORDERS):  # type: ignore[misc]  # a servicer that leaves most methods out, which its type forbids
    """Answers with the user for whom an order is made."""

    async def CreateOrder(self, _request: Any, _context: Any) -> Any:
        return order_pb2.Order(user_id=identity.caller().user_id)


async def test_a_service_passes_on_a_persons_call_where_the_contract_names_it_and_with_their_token_alone(
    issuer: Issuer,
) -> None:
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(ORDER, add, Orders()), "order", own=issuer.own("order")) as shop:
        for name, refusal in (("cart", ""), ("payment", "ACCESS_DENIED")):
            peer = client.Peer(shop.address, ORDER, identity.Mesh(calls.MESH_KEY, name, issuer.own(name)), traced=False)
            stub = order_service_pb2_grpc.OrderServiceStub(peer.channel)
            passed_on = stub.CreateOrder(CREATION, metadata=shop.as_user(ADMIN, "CUSTOMER"))
            if refusal:
                assert (await calls.refused(passed_on)).reason == refusal
            else:
                assert (await passed_on).user_id == ADMIN
                assert (await calls.refused(stub.CreateOrder(CREATION))).reason == "TOKEN_MISSING"
            await peer.stop()
