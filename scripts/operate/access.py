"""The way into any cluster: as a pod of it, or as whoever KUBECONFIG (or ~/.kube/config) says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import kubernetes
import urllib3


class AccessError(Exception):
    """No cluster is named, or the one that is does not answer or refuses: the message is one line and says what to do."""


@contextmanager
def client() -> Iterator[kubernetes.client.ApiClient]:
    """A client of the cluster, closed at the end. Raises an AccessError when there is none or it does not answer."""
    with _client() as api:
        try:
            yield api
        except urllib3.exceptions.HTTPError as error:
            raise AccessError(f"the cluster at {api.configuration.host} does not answer: {error}") from error
        except kubernetes.client.ApiException as refused:
            raise AccessError(
                f"the cluster refuses: {refused.status} {refused.reason}: {_message(refused)}"
            ) from refused


def _client() -> kubernetes.client.ApiClient:
    try:
        if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
            configuration = kubernetes.client.Configuration()
            kubernetes.config.load_incluster_config(configuration)
            return kubernetes.client.ApiClient(configuration)
        return kubernetes.config.new_client_from_config()
    except kubernetes.config.ConfigException as error:
        raise AccessError(
            f"no cluster is named ({error}): set KUBECONFIG, or start the simulated one with `make cluster-up`"
        ) from error


def _message(refused: kubernetes.client.ApiException) -> str:
    words = (refused.body or "").split('"message":"', 1)
    return words[-1].partition('"')[0][:200] if len(words) > 1 else ""
