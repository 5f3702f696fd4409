"""A container engine in memory, which reads the archives that it is given as a real one does."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.digest import Digest
from bundler.model.platform import Platform
from bundler.push.engine import LayerStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bundler.net.registry.credentials import RegistryLogin
    from tests.fakes.registry_writer import MemoryWriter


@dataclass(slots=True)
class MemoryEngine:
    """A `PushingEngine`.

    Arguments:
        runs: its platforms.
        images: name or id -> what it calls the image; a test may put others there.
        by_manifest: whether it calls images by their manifest, as those do that keep them in containerd.
        before_load: called with the names of an archive's image before it is taken in, to fail or to spoil.
        registry: what it pushes to, if anything.
        before_push: called with the name before an image is pushed, to fail or to look.
        pushed: names and who pushed them.
        longest_block: bytes of the largest piece of an archive so far.
    """

    runs: tuple[Platform, ...] = (Platform("linux", "amd64"),)
    images: dict[str, str] = field(default_factory=dict)
    by_manifest: bool = False
    before_load: Callable[[list[str]], None] = lambda _: None
    registry: MemoryWriter | None = None
    before_push: Callable[[str], None] = lambda _: None
    pushed: list[tuple[str, RegistryLogin | None]] = field(default_factory=list)
    longest_block: int = 0

    @property
    def where(self) -> str:
        """An address that leads nowhere."""
        return "memory:"

    def platforms(self) -> tuple[Platform, ...]:
        """Return what a test wants it to run."""
        return self.runs

    def distrust(self, name: str) -> str:
        """Trust everybody."""
        del name
        return ""

    def is_insecure(self, host: str) -> bool:
        """It has no scruples."""
        del host
        return True

    def image_id(self, name: str) -> str | None:
        """Look the name up."""
        return self.images.get(name)

    def load(self, archive: Iterable[bytes]) -> None:
        """Read the whole archive, then give its image its names; an archive that ends early changes nothing."""
        stream = io.BytesIO()
        for block in archive:
            self.longest_block = max(self.longest_block, len(block))
            stream.write(block)
        stream.seek(0)
        with tarfile.open(fileobj=stream) as tar:
            members = {member.name: tar.extractfile(member) for member in tar}
        content = {name: file.read() for name, file in members.items() if file is not None}
        (described,) = json.loads(content["manifest.json"])
        assert {described["Config"], *described["Layers"]} <= set(content)
        self.before_load(described["RepoTags"])
        config = "sha256:" + described["Config"].rpartition("/")[2]
        manifest = json.loads(content["index.json"])["manifests"][0]["digest"]
        identity = manifest if self.by_manifest else config
        self.images |= dict.fromkeys((identity, *described["RepoTags"]), identity)

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give a further name."""
        self.images[f"{repository}:{tag}"] = self.images[image_id]

    def untag(self, name: str) -> None:
        """Take a name away."""
        self.images.pop(name, None)

    def push(
        self, repository: str, tag: str, login: RegistryLogin | None, watch: Callable[[LayerStep], None]
    ) -> Digest | None:
        """Put a manifest that names the image as its config, as an engine that packs layers anew does."""
        name = f"{repository}:{tag}"
        watch(LayerStep("a1", "Preparing"))
        watch(LayerStep("a1", "Pushing", 3, 4))
        self.before_push(name)
        self.pushed.append((name, login))
        watch(LayerStep("a1", "Pushing", 6, 4))
        watch(LayerStep("a1", "Pushed"))
        watch(LayerStep("b2", "Layer already exists"))
        watch(LayerStep("c3", "Mounted from demo/app"))
        data = json.dumps({"config": {"digest": self.images[name]}}).encode()
        assert self.registry is not None
        self.registry.put_manifest(repository.partition("/")[2], tag, "x/y", data)
        return Digest.sha256(data)
