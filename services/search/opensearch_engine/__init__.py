"""The engine on OpenSearch, for a shop whose searches have outgrown PostgreSQL.

The documents in PostgreSQL stay the record. `mirror.py` brings them to OpenSearch, `index.py` says how they lie there,
`queries.py` what is asked, `engine.py` asks it, `cluster.py` is the connection, and `selecting.py` says when PostgreSQL is
asked instead.
"""
