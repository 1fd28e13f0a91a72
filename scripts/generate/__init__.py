"""What writes a file that is committed or built: nobody edits what comes out, and a test compares it with its source.

`proto` compiles the contract, `reference` writes docs/events.md and docs/errors.md, `compose` docker-compose.yml, `chart` the
registry and tables of the chart, `locks` the lock files of Python's packages.
"""
