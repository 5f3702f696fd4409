"""A registry client before an upstream that answers by the URL; for the tests of manifests and of blobs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError
from bundler.model.image.oci import OCI_MANIFEST
from bundler.model.reference import Reference
from bundler.net.mirrors import Mirrors
from bundler.net.registry.pull import RegistryPuller
from bundler.net.retry import Retry
from tests.fakes.transport import Asked, FakeTransport, Reply, unreachable

if TYPE_CHECKING:
    from bundler.net.registry.credentials import RegistryLogin

REFERENCE = Reference("quay.io", "a/b", "1")
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2}
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": []}).encode()
INDEX = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
SCHEMA_1 = json.dumps({"schemaVersion": 1, "name": "a/b", "fsLayers": []}).encode()
TYPED = {"Content-Type": OCI_MANIFEST}
CONTENT = b"0123456789" * 10


@dataclass
class Upstream:
    """Answers by the URL without scheme; several replies for one URL are given in turn, the last one for ever."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    pauses_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transport = FakeTransport(self.answer)

    def answer(self, asked: Asked) -> Reply:
        name = asked.url.partition("://")[2]
        if name not in self.replies:
            raise unreachable(asked.url)
        replies = self.replies[name]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def client(
        self, *mirrors: str, only: bool = False, attempts: int = 3, login: RegistryLogin | None = None
    ) -> RegistryPuller:
        return RegistryPuller(
            self.transport,
            mirrors=Mirrors.parse(mirrors, only=only),
            retry=Retry(attempts=attempts, sleep=self.pauses_s.append, jitter=lambda: 0.0),
            logins=OneLogin(login),
        )


@dataclass
class OneLogin:
    """A login for quay.io alone."""

    known: RegistryLogin | None
    searched: str = "config.json"

    def login(self, host: str, path: str) -> RegistryLogin | None:  # noqa: ARG002 - the Protocol's
        return self.known if host == "quay.io" else None


def answering(*replies: Reply, place: str = "quay.io/v2/a/b/manifests/1") -> Upstream:
    return Upstream({place: list(replies)})


def failure(client: RegistryPuller, reference: Reference = REFERENCE) -> BundlerError:
    with pytest.raises(BundlerError) as caught:
        client.manifest(reference)
    return caught.value
