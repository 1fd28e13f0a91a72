"""What runs `scripts.operate.cloud.credentials` in the cluster: an account, its settings, a job now and one a month.

EKS Pod Identity gives the account its role.

terraform output -json | python -m scripts.cloud.manifests VERSION | kubectl apply -f -
"""

import json
import sys
from typing import Any

import yaml

NAME = "souk-credentials"
# The certificates of RDS, which the chart mounts too (docs/aws.md says where they come from).
TRUST = "rds-ca"
_FOLDERS = {"settings": "/settings", "trust": "/trust"}


def render(outputs: str, version: str, *, schedule: str = "17 3 1 * *") -> str:
    """The objects as YAML documents. `version` is the tag of the image; `schedule` says when passwords change."""
    credentials = json.loads(outputs)["credentials"]["value"]
    account = credentials["service_account"]
    objects = [
        _object("v1", "ServiceAccount", account["name"], account["namespace"], {}),
        _object("v1", "ConfigMap", NAME, account["namespace"], {"data": {"settings.json": json.dumps(credentials)}}),
        _object("batch/v1", "Job", f"{NAME}-fill", account["namespace"], {"spec": _job(credentials, version, "fill")}),
        _object(
            "batch/v1",
            "CronJob",
            f"{NAME}-rotate",
            account["namespace"],
            {
                "spec": {
                    "schedule": schedule,
                    "concurrencyPolicy": "Forbid",
                    "jobTemplate": {"spec": _job(credentials, version, "rotate")},
                }
            },
        ),
    ]
    return yaml.safe_dump_all(objects, sort_keys=False, width=160)


def _object(api: str, kind: str, name: str, namespace: str, rest: dict[str, Any]) -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/part-of": "souk",
        "app.kubernetes.io/managed-by": "make",
    }
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def _job(credentials: dict[str, Any], version: str, command: str) -> dict[str, Any]:
    pod = {
        "serviceAccountName": credentials["service_account"]["name"],
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(credentials, version, command)],
        "volumes": [
            {"name": "settings", "configMap": {"name": NAME}},
            {"name": "trust", "configMap": {"name": TRUST}},
        ],
    }
    # A fresh job for each `make credentials`: what is done is removed, so that its name is free again.
    return {"backoffLimit": 3, "activeDeadlineSeconds": 900, "ttlSecondsAfterFinished": 600, "template": {"spec": pod}}


def _container(credentials: dict[str, Any], version: str, command: str) -> dict[str, Any]:
    return {
        "name": "credentials",
        "image": f"{credentials['image']}:{version}",
        "command": [
            "python",
            "-m",
            "scripts.operate.cloud.credentials",
            command,
            f"{_FOLDERS['settings']}/settings.json",
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": name, "mountPath": path, "readOnly": True} for name, path in _FOLDERS.items()],
    }


if __name__ == "__main__":
    sys.stdout.write(render(sys.stdin.read(), sys.argv[1]))
