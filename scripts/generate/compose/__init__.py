"""`docker-compose.yml`, generated from the registry: the same stack for those who prefer containers.

    python -m scripts.generate.compose            writes docker-compose.yml
    python -m scripts.generate.compose --check    exit code 1 when the file is not what the registry says

`document` says what is in it. `scripts.operate.development` runs inside it, before everything else: it makes the passwords
and keys of this install, and a database and a role for each service.
"""
