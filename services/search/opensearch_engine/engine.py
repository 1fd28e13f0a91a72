"""The engine on OpenSearch: asks it for pages, facets, completions and similar words. Next stop: `queries.py`."""

import hashlib
from collections.abc import Iterable, Sequence

import cachetools

from services.chassis import database, errors, money, pages
from services.search import domain, store, words
from services.search.opensearch_engine import cluster, index, queries
from services.search.opensearch_engine.queries import Json

# So many stems of words are remembered: what a word's stem is never changes.
_STEMS = 20_000
# Words that share this part of their trigrams may be meant, so many at most: as with `pg_trgm`.
_ALIKE, _MOST_SIMILAR = 0.3, 12


class OpenSearchEngine:
    """Searches the index behind the alias that reads. Stems are those of the database, as synonyms have them."""

    def __init__(self, asked: cluster.Cluster, db: database.Database, alias: str) -> None:
        self._cluster = asked
        self._db = db
        self._alias = alias
        self._stems: cachetools.LRUCache[str, str] = cachetools.LRUCache(_STEMS)

    async def lexicon(self, some: Sequence[str]) -> words.Lexicon:
        """What is known of these words."""
        if not some:
            return {}
        stems = await self._stems_of(some)
        there = await self._each([queries.known(word) for word in some])
        known = {
            word: word in index.STOP_WORDS or found["hits"]["total"]["value"] > 0
            for word, found in zip(some, there, strict=True)
        }
        strange = [word for word in some if not known[word] and len(word) > 2]
        likes = await self._each([queries.similar(word) for word in strange])
        similar = {word: _similar(word, found) for word, found in zip(strange, likes, strict=True)}
        return {word: words.Lexeme(stems[word], known[word], similar.get(word, ())) for word in some}

    async def search(self, query: domain.Query, clauses: Sequence[words.Clause], page: pages.Page) -> domain.Found:
        """The page of products that match all clauses and filters, how many there are, and facets if they are asked for.

        The filters' categories are whole subtrees. Raises TransientError.
        """
        # The same search goes to the same copies of the data, so that scores are the same on each of its pages.
        same = hashlib.blake2b(repr((query, clauses)).encode(), digest_size=8).hexdigest()
        answer = await self._ask(queries.search(query, clauses, page), preference=f"souk{same}")
        hits = answer["hits"]["hits"]
        shown = hits[: page.size]
        after = queries.cursor(query, clauses, shown[-1]) if len(hits) > page.size else ""
        found = tuple(_hit(hit, query.currency) for hit in shown)
        counts = queries.counts(answer["aggregations"], query) if query.with_facets else []
        return domain.Found(found, after, answer["hits"]["total"]["value"], domain.facets(counts, query))

    def nothing(self, query: domain.Query, clauses: Sequence[words.Clause]) -> tuple[str, ...]:  # noqa: ARG002 - the port's
        """None: answers are remembered until anything changes."""
        return ()

    async def complete(self, typed: Sequence[str], most: int) -> list[domain.Suggestion]:
        """Products whose title has all of these words, the last one perhaps unfinished."""
        answer = await self._ask(queries.completions(typed, most))
        found = [hit["_source"] for hit in answer["hits"]["hits"]]
        return [domain.Suggestion(each["title"], each["category"], each["product_id"]) for each in found]

    async def _ask(self, body: Json, **options: str) -> Json:
        """One search. Raises TransientError."""
        try:
            found: Json = await self._cluster.ask(
                lambda client: client.search(index=self._alias, body=body, params=options)
            )
        except cluster.MissingError as error:
            # It was deleted from outside; the mirror builds another one.
            raise errors.TransientError(f"opensearch: {error}") from error
        if found.get("timed_out") or found["_shards"]["failed"]:
            raise errors.TransientError("opensearch: some of its shards did not answer")
        return found

    async def _each(self, bodies: Sequence[Json]) -> list[Json]:
        """Several searches in one request. Raises TransientError."""
        if not bodies:
            return []
        lines = [line for body in bodies for line in ({}, body)]
        answer = await self._cluster.ask(lambda client: client.msearch(index=self._alias, body=lines))
        found: list[Json] = answer["responses"]
        if failed := [each["error"] for each in found if "error" in each]:
            raise errors.TransientError(f"opensearch: {failed[0].get('reason')}")
        return found

    async def _stems_of(self, some: Iterable[str]) -> dict[str, str]:
        stems = {word: self._stems[word] for word in some if word in self._stems}
        if missing := [word for word in some if word not in stems]:
            stems |= await store.stems_of(self._db, missing)
            self._stems.update({word: stems[word] for word in missing})
        return stems


def _similar(word: str, found: Json) -> tuple[str, ...]:
    """Words like this one, most alike first: what has up to two errors, and what shares most trigrams."""
    few = [option["text"] for option in found["suggest"]["similar"][0]["options"]]
    said = {other for hit in found["hits"]["hits"] for text in hit["_source"].values() for other in text.split()}
    alike = [other for other in said if _shared(word, other) >= _ALIKE]
    ranked = sorted({*few, *alike}, key=lambda other: (-_shared(word, other), other))
    return tuple(ranked[:_MOST_SIMILAR])


def _shared(one: str, other: str) -> float:
    """Which part of their trigrams two words share, as `pg_trgm` counts it."""
    some, others = (_trigrams(f"  {word} ") for word in (one, other))
    return len(some & others) / len(some | others)


def _trigrams(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(len(text) - 2)}


def _hit(hit: Json, currency: str) -> domain.Hit:
    said = hit["_source"]
    prices = said["prices"]["all"]
    shown = currency if any(each == currency for each, _, _ in prices) else prices[0][0]
    of_it = [(amount, before) for each, amount, before in prices if each == shown]
    lowest, before = min(of_it)
    marked = hit.get("highlight", {})
    return domain.Hit(
        product_id=said["product_id"],
        version=said["version"],
        title=said["title"],
        category=said["category"],
        vendor_id=said.get("vendor_id", ""),
        image=said["image"],
        price_from=money.Money(shown, lowest),
        price_to=money.Money(shown, max(of_it)[0]),
        in_stock=said["in_stock"],
        attributes=said["attributes"],
        excerpts=tuple(domain.Excerpt(name, marked[name][0]) for name in ("title", "description") if name in marked),
        earlier=money.Money(shown, before) if before else None,
    )
