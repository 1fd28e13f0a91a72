"""The share of requests that a release's load balancer gives to its canary.

It is the weights of two target groups, in annotations of the release's Ingresses; the chart makes them 100 and 0
(`edge.ingress.canary`).
"""

import json
from collections.abc import Iterator

import kubernetes

from scripts.operate import release

ACTIONS = "alb.ingress.kubernetes.io/actions."
WHOLE = 100


class NoWayError(Exception):
    """The release has no load balancer that could give a canary a share."""


def read(of: release.Release) -> int:
    """The canary's share in percent: the larger one where Ingresses differ. Raises NoWayError."""
    found = [_weights(action)[1] for _, _, action in _actions(of)]
    if not found:
        raise NoWayError(f"{of.name} has no load balancer that knows a canary (edge.ingress.canary)")
    return max(found)


def write(of: release.Release, share: int) -> None:
    """Give the canary this share in percent, of REST and of gRPC. Raises NoWayError.

    Whoever dies between the two leaves them different; the next call makes them alike.
    """
    read(of)
    api = kubernetes.client.NetworkingV1Api(of.api)
    for ingress, annotation, action in _actions(of):
        stable, canary = action["forwardConfig"]["targetGroups"]
        stable["weight"], canary["weight"] = WHOLE - share, share
        body = {"metadata": {"annotations": {annotation: json.dumps(action, separators=(",", ":"))}}}
        api.patch_namespaced_ingress(ingress, of.namespace, body)


def _actions(of: release.Release) -> Iterator[tuple[str, str, release.Object]]:
    """The Ingresses whose requests two target groups share: name, annotation, and what it says."""
    listed = kubernetes.client.NetworkingV1Api(of.api).list_namespaced_ingress(of.namespace, label_selector=of.selector)
    for ingress in listed.items:
        for annotation, text in (ingress.metadata.annotations or {}).items():
            if annotation.startswith(ACTIONS):
                yield ingress.metadata.name, annotation, json.loads(text)


def _weights(action: release.Object) -> tuple[int, int]:
    stable, canary = action["forwardConfig"]["targetGroups"]
    return int(stable["weight"]), int(canary["weight"])
