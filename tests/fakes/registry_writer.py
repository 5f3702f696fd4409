"""A `RegistryWriter` over repositories in memory; `refuse` names what it does not do."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, PublishError
from bundler.model.digest import Digest

if TYPE_CHECKING:
    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces


@dataclass(slots=True)
class MemoryWriter:
    """A registry.

    Arguments:
        blobs, manifests: repository -> what it holds; manifests by tag and by digest.
        refuse: `METHOD REPOSITORY` that fail with DENIED, `METHOD` as in `calls`.
        mounts: whether it takes blobs over.
        login_refusals: how many more times it refuses the login.
        calls: `METHOD REPOSITORY WHAT`, in order.
    """

    blobs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    manifests: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refuse: frozenset[str] = frozenset()
    mounts: bool = True
    login_refusals: int = 0
    calls: list[str] = field(default_factory=list)
    host: str = "master"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self) -> None:
        """It is there."""

    def log_in(self) -> None:
        """Refuse as often as a test wants."""
        self.calls.append("LOGIN")
        if self.login_refusals:
            self.login_refusals -= 1
            raise PublishError(ErrorId.PUSH_UNAUTHORIZED, "refuses the credentials", remedy="Log in.", status=401)

    def manifest_digest(self, repository: str, name: str) -> Digest | None:
        """Look a manifest up."""
        self._call("HELD", repository, name)
        data = self.manifests.get(repository, {}).get(name)
        return None if data is None else Digest.sha256(data)

    def config_digest(self, repository: str, name: str) -> Digest | None:
        """Read a manifest that is JSON."""
        self._call("CONFIG", repository, name)
        try:
            return Digest.parse(json.loads(self.manifests[repository][name])["config"]["digest"])
        except ValueError:
            return None

    def has_blob(self, repository: str, blob: Blob) -> bool:
        """Look a blob up."""
        self._call("HEAD", repository, str(blob.digest))
        return str(blob.digest) in self.blobs.get(repository, {})

    def mount(self, repository: str, blob: Blob, source: str) -> bool:
        """Take a blob over."""
        self._call("MOUNT", repository, str(blob.digest))
        if self.mounts:
            self.blobs.setdefault(repository, {})[str(blob.digest)] = self.blobs[source][str(blob.digest)]
        return self.mounts

    def upload(self, repository: str, blob: Blob, pieces: Pieces, task: Task) -> None:
        """Keep a blob, which has to be what its digest says."""
        self._call("UPLOAD", repository, str(blob.digest))
        data = b"".join(bytes(piece) for piece in pieces(0))
        task.advance(len(data))
        assert Digest.sha256(data) == blob.digest
        self.blobs.setdefault(repository, {})[str(blob.digest)] = data

    def put_manifest(self, repository: str, name: str, media_type: str, data: bytes) -> None:
        """Keep a manifest."""
        self._call("PUT", repository, name)
        assert media_type
        held = self.manifests.setdefault(repository, {})
        held[name] = held[str(Digest.sha256(data))] = data

    def _call(self, method: str, repository: str, what: str) -> None:
        with self.lock:
            self.calls.append(f"{method} {repository} {what}")
        if f"{method} {repository}" in self.refuse:
            raise PublishError(ErrorId.PUSH_REFUSED, "no", where=repository, remedy="Ask.", status=403, code="DENIED")
