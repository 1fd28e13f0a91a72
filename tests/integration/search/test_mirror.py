"""How documents get to OpenSearch: late and failing pushes, lost indexes, a cluster that is away, and who may ask it."""

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import aiohttp
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import pytest_asyncio
from aiohttp import web

from services.chassis import database, errors, loops, money, pages, process
from services.chassis.settings import read
from services.search import answers, domain, engines, pushes, usecases
from services.search.domain import Level, Product, Variant
from services.search.opensearch_engine import cluster, engine, index, mirror
from services.search.settings import OpenSearchSettings, Settings
from tests.integration.search.conftest import Search, product
from tests.support import front
from tests.support.polling import eventually

EXPIRE = database.Statement("UPDATE pushes SET leased_until = '-infinity'")
QUEUE = database.Statement("SELECT count(*) FROM pushes")
GENERATION = database.Statement("SELECT sum(value) FROM generation")


def priced(old: Product, amount: int, version: int) -> Product:
    variants = tuple(Variant(each.sku, each.title, money.Money("EUR", amount)) for each in old.variants)
    return dataclasses.replace(old, variants=variants, version=version)


async def price(search: Search, text: str) -> int:
    [hit] = (await search.find(text)).hits
    return hit.price_from.amount


async def queued(search: Search) -> int:
    [[count]] = await search.db.read(QUEUE)
    return int(count)


async def hear(search: Search, *what: Product | Level) -> None:
    """It hears of these, and nobody has pushed them yet."""
    async with search.db.transaction() as transaction:
        await search.index.hear(transaction, what)


@dataclasses.dataclass
class Fronted:
    """The same cluster through a front, which can be slow or away."""

    front: front.Front
    cluster: cluster.Cluster
    mirror: mirror.Mirror
    engine: engine.OpenSearchEngine


@pytest_asyncio.fixture
async def fronted(mirrored: Search, node: str, tmp_path: Path) -> AsyncIterator[Fronted]:
    standing = front.Front(node, tmp_path)
    await standing.start()
    assert mirrored.settings
    settings = dataclasses.replace(mirrored.settings, url=standing.url, ca_file=standing.ca_file, timeout_s=20.0)
    asked = cluster.Cluster(settings)
    await asked.start()
    searching = engine.OpenSearchEngine(asked, mirrored.db, settings.index)
    yield Fronted(standing, asked, mirror.Mirror(mirrored.db, asked, settings), searching)
    await asked.stop()
    await standing.stop()


async def test_a_push_that_is_late_never_shows_an_old_price(mirrored: Search, fronted: Fronted) -> None:
    chair = product("Chair", 100)
    await hear(mirrored, chair)
    late = await _under_way(fronted)
    await mirrored.db.read(EXPIRE)
    await mirrored.told(priced(chair, 300, version=2))
    assert await price(mirrored, "chair") == 300
    fronted.front.open.set()
    await late
    await mirrored.pushed()
    assert await price(mirrored, "chair") == 300
    assert await queued(mirrored) == 0


async def test_a_deleted_product_does_not_come_back_by_a_late_push(mirrored: Search, fronted: Fronted) -> None:
    chair = product("Chair")
    await hear(mirrored, chair)
    late = await _under_way(fronted)
    await mirrored.db.read(EXPIRE)
    await mirrored.told(Product(chair.id, 2, deleted=True))
    fronted.front.open.set()
    await late
    assert await mirrored.titles("chair") == []
    assert await queued(mirrored) == 0


async def test_what_changes_while_it_is_pushed_is_pushed_again(mirrored: Search, fronted: Fronted) -> None:
    chair = product("Chair", 100)
    await hear(mirrored, chair)
    under_way = await _under_way(fronted)
    await hear(mirrored, priced(chair, 200, version=2), Level(chair.skus[0], "east", 1))
    fronted.front.open.set()
    await under_way
    assert await queued(mirrored) == 1
    await mirrored.pushed()
    assert await price(mirrored, "chair") == 200
    assert await mirrored.titles(in_stock=True) == ["Chair"]


async def test_answers_of_before_end_when_searches_find_what_was_pushed(mirrored: Search) -> None:
    await hear(mirrored, product("Chair"))
    assert await mirrored.titles("chair") == []
    [[before]] = await mirrored.db.read(GENERATION)
    await mirrored.pushed()
    [[after]] = await mirrored.db.read(GENERATION)
    assert after > before
    assert await mirrored.titles("chair") == ["Chair"]


async def test_while_the_cluster_is_away_searches_are_unavailable_and_nothing_is_lost(
    mirrored: Search, fronted: Fronted
) -> None:
    chair = product("Chair")
    await fronted.front.stop()
    await hear(mirrored, chair)
    with pytest.raises(errors.TransientError):
        await fronted.engine.search(_query("chair"), (), pages.Page(1))
    with pytest.raises(errors.TransientError):
        await fronted.mirror.push()
    await fronted.front.start()
    assert await fronted.mirror.push() == 1
    assert await mirrored.titles("chair") == ["Chair"]


async def test_a_cluster_that_fails_again_and_again_is_not_asked_for_a_moment(fronted: Fronted) -> None:
    asked = 0

    def refuses(_: web.Request, __: bytes) -> bool:
        nonlocal asked
        asked += 1
        return False

    fronted.front.admits = refuses
    for _ in range(12):
        with pytest.raises(errors.TransientError):
            await fronted.engine.search(_query("chair"), (), pages.Page(1))
    assert asked < 12


async def test_an_index_that_was_lost_is_searched_in_the_record_and_built_again(mirrored: Search, node: str) -> None:
    assert mirrored.kept
    mirrored.shop.products = [product("Chair")]
    await mirrored.told(*mirrored.shop.products)
    lost = await pushes.active_mirror(mirrored.db)
    await _delete(node, index.name(mirrored.settings, lost))
    with pytest.raises(errors.TransientError):
        await mirrored.titles("chair")
    await mirrored.kept.look_after()
    assert await pushes.active_mirror(mirrored.db) == ""
    assert await mirrored.titles("chair") == ["Chair"]
    await mirrored.kept.look_after()
    await mirrored.built()
    assert await pushes.active_mirror(mirrored.db) not in ("", lost)
    assert await mirrored.titles("chair") == ["Chair"]


async def test_nothing_is_written_to_an_index_that_nobody_made(mirrored: Search, node: str) -> None:
    assert mirrored.kept
    await hear(mirrored, product("Chair"))
    await _delete(node, index.name(mirrored.settings, await pushes.active_mirror(mirrored.db)))
    with pytest.raises(errors.TransientError):
        await mirrored.kept.push()
    assert await _indexes(node, mirrored.settings) == []


async def test_an_index_has_the_shards_and_replicas_of_the_settings(mirrored: Search, node: str) -> None:
    settings = dataclasses.replace(mirrored.settings, shards=2, replicas=1)
    asked = cluster.Cluster(settings)
    await asked.start()
    made = await mirror.Mirror(mirrored.db, asked, settings).make()
    await asked.stop()
    [found] = [each for each in await _indexes(node, settings) if each["index"] == index.name(settings, made)]
    assert (found["pri"], found["rep"]) == ("2", "1")


async def test_one_index_is_read_and_those_that_nobody_needs_are_deleted(
    mirrored: Search, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mirrored.kept
    old = await pushes.active_mirror(mirrored.db)
    await mirrored.index.rebuild()
    await mirrored.built()
    new = await pushes.active_mirror(mirrored.db)
    await mirrored.kept.look_after()
    names = {each["index"] for each in await _indexes(node, mirrored.settings)}
    assert names == {index.name(mirrored.settings, each) for each in (old, new)}
    monkeypatch.setattr(mirror, "_NEW_MS", -1)
    await mirrored.kept.look_after()
    [left] = await _indexes(node, mirrored.settings)
    assert left["index"] == index.name(mirrored.settings, new)
    async with aiohttp.ClientSession() as session, session.get(f"{node}/_alias/{mirrored.settings.index}") as answer:
        assert list(await answer.json()) == [left["index"]]


async def test_by_its_settings_a_process_mirrors_a_shop_that_postgresql_searched_and_keeps_it_so(
    record: Search, node: str
) -> None:
    record.shop.products = [product("Chair")]
    await record.told(*record.shop.products)
    environ = {"SEARCH_OPENSEARCH_URL": node, "SEARCH_OPENSEARCH_INDEX": f"test-{uuid.uuid4().hex[:8]}"}
    settings = read(Settings, {"SEARCH_ENGINE": "opensearch"})
    chosen = engines.choose(settings, environ | {"SEARCH_OPENSEARCH_REPLICAS": "0"}, record.db)
    moments = answers.Moments(record.db, fresh_s=0)
    index_of = usecases.Index(record.db, record.shop, record.shop, chosen.mirror)
    search = dataclasses.replace(record, index=index_of, searches=usecases.Searches(record.db, chosen.engine, moments))
    assert await search.titles("chair") == ["Chair"]
    parts = [*chosen.parts, *chosen.working, loops.Loop("search-build", search.index.build, loops.Pace(0.1))]
    async with _running(parts):
        assert await search.titles("chair") == ["Chair"]
        await eventually(lambda: _is_mirrored(search), within_s=30)
        await hear(search, product("Stool", description="Lower than a chair"))
        await eventually(lambda: _finds(search, "chair", 2), within_s=30)


async def test_a_shop_goes_back_to_postgresql_without_a_build(mirrored: Search) -> None:
    await mirrored.told(product("Chair"))
    await engines.unmirror(mirrored.db)
    await hear(mirrored, product("Other chair"))
    assert await queued(mirrored) == 0
    assert sorted(await mirrored.titles("chair")) == ["Chair", "Other chair"]


async def test_a_password_is_asked_for_over_tls_and_read_again_when_it_changes(
    mirrored: Search, fronted: Fronted, tmp_path: Path
) -> None:
    file = tmp_path / "login"
    file.write_text("souk:first")
    environ = {
        "SEARCH_OPENSEARCH_URL": fronted.front.url,
        "SEARCH_OPENSEARCH_LOGIN_FILE": str(file),
        "SEARCH_OPENSEARCH_CA_FILE": fronted.front.ca_file,
        "SEARCH_OPENSEARCH_INDEX": mirrored.settings.index,
    }
    fronted.front.admits = front.of_user("souk:first")
    await mirrored.told(product("Chair"))
    async with _asked(OpenSearchSettings.of(environ)) as asked:
        assert await _count(asked, mirrored) == 1
        fronted.front.admits = front.of_user("souk:second")
        with pytest.raises(errors.TransientError):
            await _count(asked, mirrored)
        file.write_text("souk:second")
        assert await _count(asked, mirrored) == 1


async def test_a_certificate_of_an_unknown_authority_is_refused(mirrored: Search, fronted: Fronted) -> None:
    # Without a file, the authorities of the world are trusted, and the front's is none of them.
    async with _asked(dataclasses.replace(mirrored.settings, url=fronted.front.url)) as asked:
        with pytest.raises(errors.TransientError, match="CERTIFICATE_VERIFY_FAILED"):
            await _count(asked, mirrored)


async def test_requests_are_signed_for_a_role_of_aws(
    mirrored: Search, fronted: Fronted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a session")
    fronted.front.admits = _signed_by("AKIDEXAMPLE", "a secret", "a session")
    await mirrored.told(product("Chair"))
    settings = dataclasses.replace(
        mirrored.settings, url=fronted.front.url, ca_file=fronted.front.ca_file, aws_region="eu-central-1"
    )
    async with _asked(settings) as asked:
        assert await _count(asked, mirrored) == 1
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another secret")
    async with _asked(settings) as asked:
        with pytest.raises(errors.TransientError):
            await _count(asked, mirrored)


@contextlib.asynccontextmanager
async def _running(parts: Sequence[process.Part]) -> AsyncIterator[None]:
    for part in parts:
        await part.start()
    try:
        yield
    finally:
        for part in reversed(parts):
            await part.stop()


async def _is_mirrored(search: Search) -> bool:
    return bool(await pushes.active_mirror(search.db))


async def _finds(search: Search, text: str, count: int) -> bool:
    return len(await search.titles(text)) == count


async def _under_way(fronted: Fronted) -> "asyncio.Task[int]":
    """A push whose request has arrived at the front, and waits there."""
    fronted.front.open.clear()
    push = asyncio.create_task(fronted.mirror.push())
    await asyncio.wait_for(fronted.front.waiting.wait(), 20)
    return push


def _query(text: str) -> domain.Query:
    return domain.Query(text, domain.Filters(), domain.Sort.POPULARITY, "EUR")


async def _delete(node: str, name: str) -> None:
    async with aiohttp.ClientSession() as session, session.delete(f"{node}/{name}") as answer:
        assert answer.status == 200


async def _indexes(node: str, settings: OpenSearchSettings) -> list[dict[str, str]]:
    url = f"{node}/_cat/indices/{settings.index}-*"
    async with aiohttp.ClientSession() as session, session.get(url, params={"format": "json"}) as answer:
        found: list[dict[str, str]] = await answer.json()
        return found


@contextlib.asynccontextmanager
async def _asked(settings: OpenSearchSettings) -> AsyncIterator[cluster.Cluster]:
    asked = cluster.Cluster(settings)
    await asked.start()
    try:
        yield asked
    finally:
        await asked.stop()


async def _count(asked: cluster.Cluster, mirrored: Search) -> int:
    """How many products this cluster finds."""
    found = engine.OpenSearchEngine(asked, mirrored.db, mirrored.settings.index)
    return (await found.search(_query(""), (), pages.Page(1))).total


def _signed_by(key: str, secret: str, token: str) -> Callable[[web.Request, bytes], bool]:
    """Admits whose signature is the one that AWS would compute."""

    def admits(request: web.Request, body: bytes) -> bool:
        said = request.headers["authorization"]
        names = said.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        copied = {name: request.headers[name] for name in names}
        signed = botocore.awsrequest.AWSRequest(request.method, str(request.url), headers=copied, data=body)
        signed.context["timestamp"] = request.headers["x-amz-date"]
        role = botocore.credentials.Credentials(key, secret, token)
        v4 = botocore.auth.SigV4Auth(role, "es", "eu-central-1")
        expected = v4.signature(v4.string_to_sign(signed, v4.canonical_request(signed)), signed)
        return said.endswith(f"Signature={expected}") and request.headers["x-amz-security-token"] == token

    return admits
