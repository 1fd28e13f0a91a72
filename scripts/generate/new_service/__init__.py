"""A service more: its contract, its rooms, its first tests and its block of the registry.

    python -m scripts.generate.new_service NAME [--stores postgres,redis] [--consumes orders] [--publishes notes]

`rooms` renders the files of `templates/`, `block` adds to services.yaml and leaves what is there, comments included, as it
is. Nothing is written unless all of it can be. `make new-service` runs it, and then what is generated from the registry.
"""
