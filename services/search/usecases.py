"""What search does: understand a text, ask the engine; and keep the index up to date. Next stop: `store.py`.

Answers are remembered (`answers.py`): every commit that changes what can be found begins a new generation, and an answer of an
earlier one is compared with what changed since.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Protocol

from services.chassis import clock, database, errors, pages
from services.search import answers, domain, store, words
from services.search.store import renamed, synonyms

SERVICE = "search"
MOST_SUGGESTIONS = 20
SUGGESTIONS = 8
# Products of a renamed category that are written anew in one transaction.
PRODUCTS_AT_ONCE = 100


class Engine(Protocol):
    """What searches the documents. All methods raise TransientError when it is unavailable."""

    async def lexicon(self, some: Sequence[str]) -> words.Lexicon:
        """What is known of these words."""

    async def search(self, query: domain.Query, clauses: Sequence[words.Clause], page: pages.Page) -> domain.Found:
        """A page of the products that match all clauses and filters. The filters' categories are whole subtrees."""

    def nothing(self, query: domain.Query, clauses: Sequence[words.Clause]) -> tuple[str, ...]:
        """The proofs that nothing matches these clauses and filters; none if the engine has no proofs (see `domain.Found`)."""

    async def complete(self, typed: Sequence[str], most: int) -> Sequence[domain.Suggestion]:
        """Products whose title has all of these words, the last one perhaps unfinished; of each title one."""


class Catalog(Protocol):
    """Where products and categories are kept. All methods raise TransientError."""

    async def products_after(self, product_id: str) -> Sequence[domain.Product]:
        """A page of products, oldest first, from behind this one on; empty after the last."""

    async def products_by_id(self, product_ids: Sequence[str]) -> Sequence[domain.Product]:
        """Those of up to PRODUCTS_AT_ONCE products that are there."""

    async def categories(self) -> Sequence[domain.Category]:
        """All categories."""


class Inventory(Protocol):
    """Where stock is kept."""

    async def levels_page(self, token: str) -> tuple[Sequence[domain.Level], str]:
        """A page of levels and the token of the next one, empty on the last. Raises TransientError."""


class Mirror(Protocol):
    """Keeps the documents where the engine searches them, when that is not in the database."""

    async def make(self) -> str:
        """Make an empty place for the documents of another build: its name. Raises TransientError."""

    async def show(self, build: store.Build) -> bool:
        """Search this build from now on, if it is all there: whether it is. Raises TransientError."""


class Searches:
    """The use cases of who searches."""

    def __init__(self, db: database.Database, engine: Engine, moments: answers.Moments) -> None:
        self._db = db
        self._engine = engine
        self._moments = moments
        self._thesaurus = words.Thesaurus()
        self._thesaurus_of = ""

    async def search(self, query: domain.Query, page: pages.Page) -> domain.Found:
        """A page of products. Raises CATEGORY_NOT_FOUND or TransientError."""
        filters = query.filters
        if filters.categories:
            slugs = domain.subtrees(await store.categories(self._db), filters.categories)
            filters = dataclasses.replace(filters, categories=slugs)
        clauses = words.parsed(query.text)
        if query.text and not clauses:
            return domain.Found((), "", 0)
        wanted = dataclasses.replace(query, filters=filters)
        lexicon = await self._engine.lexicon(words.vocabulary(clauses))
        meant = words.expanded(clauses, lexicon, await self._known_synonyms() if clauses else words.Thesaurus())
        corrected = words.corrected(meant, lexicon)
        found = await self._engine.search(wanted, corrected, page)
        if corrected != meant and found.proofs:
            # It was corrected because nothing has what was written: without a proof of that, nothing is proved.
            absent = self._engine.nothing(wanted, meant)
            found = dataclasses.replace(found, proofs=(*found.proofs, *absent) if absent else ())
        if not found.total:
            return dataclasses.replace(found, did_you_mean=await self._guess(wanted, clauses, lexicon))
        said = " ".join(map(words.written, corrected)) if corrected != meant else ""
        return dataclasses.replace(found, searched_for=said)

    async def suggest(self, text: str, limit: int) -> Sequence[domain.Suggestion]:
        """Completions of a text: categories first. Raises TransientError."""
        typed = words.words_of(text)[: words.MOST_WORDS]
        if not typed:
            return []
        most = min(limit or SUGGESTIONS, MOST_SUGGESTIONS)
        shelves = domain.completing(await store.categories(self._db), typed)
        products = await self._completed(typed, most)
        return [*shelves, *products][:most]

    async def _completed(self, typed: Sequence[str], most: int) -> Sequence[domain.Suggestion]:
        """Completions of what was typed; or of the most similar words; or of what was typed before the last word."""
        if found := await self._engine.complete(typed, most):
            return found
        lexicon = await self._engine.lexicon(typed)
        meant = [words.closest(word, lexicon) for word in typed]
        found = await self._engine.complete(meant, most) if meant != list(typed) else []
        return found or (await self._engine.complete(meant[:-1], most) if len(meant) > 1 else [])

    async def _guess(self, query: domain.Query, clauses: Sequence[words.Clause], lexicon: words.Lexicon) -> str:
        """A text like the one that found nothing, which does find something; empty when there is none."""
        text = words.guessed(clauses, lexicon)
        if not text:
            return ""
        plain = dataclasses.replace(query, with_facets=False)
        found = await self._engine.search(plain, words.parsed(text), pages.Page(1))
        return text if found.total else ""

    async def _known_synonyms(self) -> words.Thesaurus:
        moment = await self._moments.now()
        if moment.synonyms != self._thesaurus_of:
            self._thesaurus = words.thesaurus(await synonyms.known(self._db))
            self._thesaurus_of = moment.synonyms
        return self._thesaurus


class Synonyms:
    """The use cases of who keeps synonyms."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def list(self, page: pages.Page) -> pages.Slice[domain.SynonymSet]:
        """Sets of synonyms, by id."""
        return pages.cut(await synonyms.page(self._db, page), page, lambda kept: kept.id)

    async def put(self, set_id: str, terms: Iterable[str]) -> domain.SynonymSet:
        """Make a set of synonyms, or replace its terms. Raises SYNONYMS_INVALID or SYNONYMS_TOO_MANY."""
        made = domain.SynonymSet(set_id, words.synonym_terms(terms), self._now())
        async with self._db.transaction() as transaction:
            if not await synonyms.put(transaction, made):
                said = f"there can be at most {domain.MOST_SYNONYMS} sets of synonyms"
                raise errors.precondition("SYNONYMS_TOO_MANY", said, most=str(domain.MOST_SYNONYMS))
            await store.next_generation(transaction)
        return made

    async def delete(self, set_id: str) -> None:
        """Delete a set of synonyms, if there is one."""
        async with self._db.transaction() as transaction:
            if await synonyms.delete(transaction, set_id):
                await store.next_generation(transaction)


class Index:
    """The use cases of the index: what events tell, and building another one, which has a mirror if a mirror is given."""

    def __init__(
        self, db: database.Database, catalog: Catalog, inventory: Inventory, mirror: Mirror | None = None
    ) -> None:
        self._db = db
        self._mirror = mirror
        self._catalog = catalog
        self._inventory = inventory

    async def hear(self, transaction: database.Transaction, told: Sequence[domain.Product | domain.Level]) -> None:
        """Products and levels of stock are as told, unless something newer is known of them."""
        products = domain.newest(item for item in told if isinstance(item, domain.Product))
        levels = domain.last(item for item in told if isinstance(item, domain.Level))
        await store.lock_skus(transaction, [level.sku for level in levels] + _skus(products))
        changed = await store.put_levels(transaction, levels) if levels else 0
        changed += await self._put(transaction, products)
        if changed:
            await store.next_generation(transaction)

    async def state(self) -> domain.IndexState:
        """The index that is searched, and the one that is being built."""
        return await store.index(self._db)

    async def rebuild(self) -> domain.IndexState:
        """Begin to build another index, unless one is being built."""
        if not await store.build(self._db):
            mirror = await self._mirror.make() if self._mirror else ""
            async with self._db.transaction() as transaction:
                await store.begin_build(transaction, mirror=mirror)
        return await self.state()

    async def build(self) -> int:
        """Take the build that is under way one page further: 0 when there is none. Raises TransientError.

        The page is asked for outside of any transaction. Whoever dies before the commit leaves the build where it was, and of
        two who take the same page one finds it taken.
        """
        reached = await store.build(self._db)
        if reached is None:
            return 0
        if reached.complete:
            return await self._switch(reached)
        if not reached.products_done:
            await self._build_products(reached, await self._catalog.products_after(reached.after_product))
        else:
            levels, token = await self._inventory.levels_page(reached.after_stock)
            await self._build_stock(reached, levels, token)
        return 1

    async def learn_categories(self) -> int:
        """Take over the categories of the catalog: 0, so that it is done again after a pause. Raises TransientError."""
        known = await self._catalog.categories()
        if set(known) <= set(await store.categories(self._db)):
            return 0
        async with self._db.transaction() as transaction:
            if await store.put_categories(transaction, known):
                await store.next_generation(transaction)
        return 0

    async def follow_titles(self) -> int:
        """Write some products anew whose category has another title, by which they are found: 0 when there is none.

        They are asked for outside of any transaction; whoever dies before the commit leaves them to the next one, and of two
        who take the same products one finds them taken. Raises TransientError.
        """
        reached = await renamed.some(self._db)
        if reached is None:
            return 0
        shelved = await renamed.shelved(self._db, reached, PRODUCTS_AT_ONCE)
        products = await self._catalog.products_by_id(shelved) if shelved else []
        async with self._db.transaction() as transaction:
            if await renamed.lock(transaction, reached.slug) == reached:
                await store.lock_skus(transaction, _skus(products))
                if await self._put(transaction, products):
                    await store.next_generation(transaction)
                await renamed.advance(transaction, reached.slug, shelved[-1] if shelved else "")
        return 1

    async def _build_products(self, reached: store.Build, products: Sequence[domain.Product]) -> None:
        async with self._db.transaction() as transaction:
            if await store.lock_build(transaction) != reached:
                return
            if products:
                await store.lock_skus(transaction, _skus(products))
                if await self._put(transaction, products):
                    await store.next_generation(transaction)
            last = products[-1].id if products else reached.after_product
            after = dataclasses.replace(reached, after_product=last, products_done=not products)
            await store.advance(transaction, after, read=len(products))

    async def _build_stock(self, reached: store.Build, levels: Sequence[domain.Level], token: str) -> None:
        async with self._db.transaction() as transaction:
            if await store.lock_build(transaction) != reached:
                return
            if levels:
                await store.lock_skus(transaction, [level.sku for level in levels])
                await store.put_levels(transaction, levels, read=True)
            await store.advance(transaction, dataclasses.replace(reached, after_stock=token), read=0)
            if not token and reached.mirror:
                await store.complete(transaction, reached.version)
            elif not token:
                await store.switch(transaction, reached.version)
            await store.next_generation(transaction)

    async def _switch(self, reached: store.Build) -> int:
        """Switch to a build that has read everything: 0 while its mirror does not have everything."""
        if reached.mirror and not (self._mirror and await self._mirror.show(reached)):
            return 0
        async with self._db.transaction() as transaction:
            if await store.lock_build(transaction) == reached:
                await store.switch(transaction, reached.version)
                await store.next_generation(transaction)
        return 1

    async def _put(self, transaction: database.Transaction, products: Sequence[domain.Product]) -> int:
        if not products:
            return 0
        return await store.put_products(transaction, products, await store.category_titles(transaction))


def _skus(products: Iterable[domain.Product]) -> list[str]:
    return [sku for product in products for sku in product.skus]


@dataclasses.dataclass(frozen=True, slots=True)
class UseCases:
    """All use cases that calls reach."""

    searches: Searches
    answers: answers.Answers
    synonyms: Synonyms
    index: Index
