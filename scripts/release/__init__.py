"""From a commit to a rolled-out release: what the stages of the Jenkinsfile call, each a `make` target.

    python -m scripts.release COMMAND       `--help` lists them; docs/release.md tells the way of a release

With DRY_RUN=1 in the environment nothing is built, pushed or deployed: the commands are printed as they would be run.
What a release is made of (digests, bills of materials, reports) is kept in .souk/release.
"""
