"""The catalog as its main.py composes it, beside a user service composed by its own: tokens of the one open the other."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services import registry
from services.catalog import main
from services.chassis import assembly, clock, errors
from services.chassis.settings import SettingsError
from services.user import main as user_main
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc
from tests.support import calls, postgres


def _key_folder(folder: Path) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "test.pem").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return str(folder)


@pytest_asyncio.fixture
async def environ(
    database_url: str, postgres_admin_url: str, own_redis_url: str, tmp_path: Path
) -> AsyncIterator[dict[str, str]]:
    """The environment of a process with both services; nothing listens where brokers and inventory should be."""
    with postgres.fresh_database(postgres_admin_url, "user") as user_url:
        yield {
            "USER_LISTEN": f"unix:{tmp_path}/user.sock",
            "USER_ADDR": f"unix:{tmp_path}/user.sock",
            "USER_DATABASE_URL": user_url,
            "USER_SIGNING_KEY_DIR": _key_folder(tmp_path),
            "CATALOG_LISTEN": f"unix:{tmp_path}/catalog.sock",
            "CATALOG_DATABASE_URL": database_url,
            "INVENTORY_ADDR": "127.0.0.1:1",
            "NOTIFICATION_ADDR": "127.0.0.1:1",
            "REDIS_URL": own_redis_url,
            "KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "MESH_KEY": calls.MESH_KEY,
        }


async def test_a_customer_of_the_user_service_is_known_to_the_catalog_and_may_only_look(
    environ: dict[str, str], category: str
) -> None:
    host = assembly.Host(environ, assembly.SERVE, "test", clock.utc_now, registry.load().services)
    parts = [*user_main.build(host), *main.build(host)]
    for part in parts:
        await part.start()
    async with (
        grpc.aio.insecure_channel(environ["USER_ADDR"]) as to_user,
        grpc.aio.insecure_channel(environ["CATALOG_LISTEN"]) as to_catalog,
    ):
        user = user_service_pb2_grpc.UserServiceStub(to_user)
        catalog = catalog_service_pb2_grpc.CatalogServiceStub(to_catalog)
        email = f"ann.{uuid.uuid4().hex}@example.com"
        wanted = user_service_pb2.RegisterRequest(email=email, password="correct horse battery", display_name="Ann")
        token = (await user.Register(wanted)).access_token
        shown = await catalog.ListCategories(catalog_service_pb2.ListCategoriesRequest())
        put = catalog_service_pb2.PutCategoryRequest(slug=category, title="Taken over")
        refused = await calls.refused(catalog.PutCategory(put, metadata=(("authorization", f"Bearer {token}"),)))
    for part in reversed(parts):
        await part.stop()
    assert category in [known.slug for known in shown.categories]
    assert (refused.code, refused.reason) == (errors.Code.PERMISSION_DENIED, "ACCESS_DENIED")


def test_every_setting_that_is_missing_is_named() -> None:
    host = assembly.Host({}, assembly.SERVE, "test", clock.utc_now, registry.load().services)
    with pytest.raises(SettingsError, match="REDIS_URL is not set"):
        main.build(host)
