"""A container engine in memory, which reads the archives that it is given as a real one does."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(slots=True)
class MemoryEngine:
    """An `Engine`.

    Arguments:
        runs: its platforms.
        images: name or id -> what it calls the image; a test may put others there.
        by_manifest: whether it calls images by their manifest, as those do that keep them in containerd.
        before_load: called with the names of an archive's image before it is taken in, to fail or to spoil.
        longest_block: bytes of the largest piece of an archive so far.
    """

    runs: tuple[Platform, ...] = (Platform("linux", "amd64"),)
    images: dict[str, str] = field(default_factory=dict)
    by_manifest: bool = False
    before_load: Callable[[list[str]], None] = lambda _: None
    longest_block: int = 0

    @property
    def where(self) -> str:
        """An address that leads nowhere."""
        return "memory:"

    def platforms(self) -> tuple[Platform, ...]:
        """Return what a test wants it to run."""
        return self.runs

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
