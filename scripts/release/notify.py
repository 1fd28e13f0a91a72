"""Telling people how a build ended: a line to a chat's incoming webhook (`{"text": ...}`, as Slack and Mattermost take it).

The webhook's address is a secret: it comes from NOTIFY_WEBHOOK and is never printed. Silence breaks no release: what cannot
be told is said on standard error, and that is all.
"""

import sys
from collections.abc import Mapping

import requests

TIMEOUT_S = 10.0


def text(status: str, given: Mapping[str, str]) -> str:
    """What is told: `souk 1.4.0 (v1.4.0): SUCCESS https://...`."""
    version = given.get("VERSION") or "unknown version"
    branch = given.get("TAG_NAME") or given.get("BRANCH_NAME") or "local"
    return f"souk {version} ({branch}): {status} {given.get('BUILD_URL', '')}".rstrip()


def tell(message: str, webhook: str) -> bool:
    """Send it. Answers whether it was taken."""
    if not webhook:
        print(f"notify: NOTIFY_WEBHOOK is not set; nobody was told: {message}", file=sys.stderr)
        return False
    try:
        answer = requests.post(webhook, json={"text": message}, timeout=TIMEOUT_S)
    except (requests.RequestException, ValueError) as error:
        # The message of the error would hold the address.
        print(f"notify: nobody was told ({type(error).__name__}): {message}", file=sys.stderr)
        return False
    if answer.status_code >= 300:
        print(f"notify: nobody was told (the webhook answers {answer.status_code}): {message}", file=sys.stderr)
        return False
    return True
