"""Search: finds products by text, filters and facets, and completes what somebody is typing.

A read model: it owns nothing that is not elsewhere but synonyms, and can be built again at any time. Owns: documents (products as
they are searched, in two slots: the index that is searched, and one that is being built), words (by which typing errors are
found), levels and availability (stock), categories (as the catalog has them), synonyms, indexes, pushes (what OpenSearch lacks).

An index: BUILDING -> ACTIVE -> RETIRED. Events are applied to those that are not retired, so a build may take its time.

Consumes `catalog` (ProductChanged, ProductDeleted) and `inventory` (StockLevelChanged), publishes nothing. Calls the catalog
for categories, and catalog and inventory to build an index.

Read in this order: `rpc.py` (somebody searches), `usecases.py` (what is meant), `words.py` (the rules of texts), `domain.py` (the
values, filters and facets), `postgres_engine.py` (what is found), `answers.py` and `postgres_checker.py` (what is remembered
of it); then `events.py` (something changed), `store.py` (the rows), `clients.py` (what a build reads), `main.py` (put
together). With OpenSearch: `engines.py` (which engine), `pushes.py` (the queue), `opensearch_engine/` (what is pushed, and what
is found there).
"""
