"""Images on their way from buildah's store to the node, in the layout of the Open Container Initiative.

buildah writes that layout itself, but compresses every layer for it: a minute of work that is undone at the other end.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.operate import storage
from scripts.release.build import building

_NAME = "io.containerd.image.name"
_ALGORITHM = "sha256"


def write(folder: Path, store: building.Buildah, images: Mapping[str, str]) -> None:
    """Write images of a store into a folder: by the name they are to have, the name in the store. Raises a StackError.

    Layers that images share are there once.
    """
    blobs = folder / "blobs" / _ALGORITHM
    blobs.mkdir(parents=True)
    manifests = [{**_gather(store, stored, blobs), "annotations": {_NAME: name}} for name, stored in images.items()]
    storage.write(folder / "index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}))
    storage.write(folder / "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}))


def _gather(store: building.Buildah, stored: str, blobs: Path) -> dict[str, object]:
    """Add an image's blobs: what the index says of it."""
    with tempfile.TemporaryDirectory(dir=blobs.parent) as name:
        written = Path(name)
        store.run("push", "--quiet", "--disable-compression", stored, f"dir:{written}")
        manifest = written / "manifest.json"
        content = manifest.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        manifest.rename(blobs / digest)
        (written / "version").unlink()
        for blob in written.iterdir():
            shutil.move(blob, blobs / blob.name)
    return {"mediaType": json.loads(content)["mediaType"], "digest": f"{_ALGORITHM}:{digest}", "size": len(content)}
