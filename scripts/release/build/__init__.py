"""`make images`: the images of Souk on this machine, by Docker where there is an engine, else by buildah, which needs none.

A release builds for both processors with BuildKit instead (`scripts/release/`). Both read the same two Dockerfiles.
"""
