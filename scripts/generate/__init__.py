"""What writes a file: from the registry, the contract and the chart's values, so that nothing else has to list services.

Nobody edits what comes out, and a test compares it with its source.

python -m scripts.generate             writes everything that is generated (`make generate`)
python -m scripts.generate --check     says what is outdated, as the exit code
python -m scripts.generate.new_service NAME [--stores redis] ...      a service more (`make new-service`)
"""
