"""A registry on a free local port that has every image one asks for: a config and a layer made of its name.

A stub, so that what grows is the client's: `python -m scripts.benchmarks.endless_registry` prints its port.
"""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bundler.model.image.oci import OCI_MANIFEST

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


def image_documents(name: str) -> tuple[bytes, bytes, bytes]:
    """Return the manifest, the config and the layer of an image for linux/amd64."""
    layer = f"layer of {name}".encode()
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs, "author": name}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _descriptor(CONFIG_TYPE, config),
        "layers": [_descriptor(LAYER_TYPE, layer)],
    }
    return json.dumps(manifest).encode(), config, layer


def _descriptor(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # without it every answer waits for an acknowledgement
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        name, _, wanted = self.path.removeprefix("/v2/").rpartition("/")
        repository = name.rpartition("/")[0]
        found = {f"sha256:{hashlib.sha256(data).hexdigest()}": data for data in image_documents(repository)}
        is_manifest = name.endswith("/manifests")
        data = found.get(wanted, image_documents(repository)[0] if is_manifest else b"{}")
        self.send_response(200)
        self.send_header("Content-Type", OCI_MANIFEST if is_manifest else "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(data).hexdigest()}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


def main() -> None:
    """Serve until stdin ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    input()


if __name__ == "__main__":
    main()
