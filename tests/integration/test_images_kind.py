"""The kind `images` from a real registry, through the real client and store, to a directory that real tools read."""

from __future__ import annotations

import itertools
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.kinds.images.entry import ImageEntry
from bundler.kinds.images.kind import ImagesKind
from bundler.model.digest import Blob
from bundler.model.image.artifact import ImageArtifact
from bundler.model.image.oci import DOCKER_INDEX, OCI_INDEX
from bundler.model.lock import LockedEntry
from bundler.model.manifest import ROLES, entry_fingerprint
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.model.source_text import Position
from bundler.net.http.transport import RequestsTransport
from bundler.net.registry.pull import RegistryPuller
from bundler.store.blobs import Store
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import image_sources
from tests.integration.images import CREATED_SECONDS, MadeImage, make_image
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.kinds.base import Sources

pytestmark = pytest.mark.integration

AMD64, ARMV7, S390X = (Platform.parse(text) for text in ("linux/amd64", "linux/arm/v7", "linux/s390x"))


@dataclass(frozen=True)
class Upstream:
    """A registry with demo/app:1 (three platforms and attestations), demo/docker:1 (three in Docker's format), and
    demo/tool:1 and demo/docker-tool:1 (one platform, no index)."""

    registry: Registry
    app: MadeImage
    tool: MadeImage


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    directory = tmp_path_factory.mktemp("upstream")
    layout = directory / "layout"
    platforms = [str(platform) for platform in (AMD64, ARMV7, S390X)]
    app = make_image(layout, "app:1", platforms=platforms, attestations=True)
    plain = make_image(layout, "plain:1", platforms=platforms)
    tool = make_image(layout, "tool:1")
    with plain_registry(directory / "registry") as registry:
        registry.fill(app.layout, "app:1", "demo/app:1")
        registry.fill(plain.layout, "plain:1", "demo/docker:1", docker_format=True)
        registry.fill(tool.layout, "tool:1", "demo/tool:1")
        registry.fill(tool.layout, "tool:1", "demo/docker-tool:1", docker_format=True)
        yield Upstream(registry, app, tool)


@dataclass(frozen=True)
class Work:
    """What one build works with."""

    upstream: Upstream
    directory: Path
    kind: ImagesKind
    sources: Sources

    def lock(self, path: str, *platforms: Platform) -> LockedEntry:
        text = f"{self.upstream.registry.host}/{path}"
        entry = ImageEntry(text, Position("m", 1, 1), Reference.parse(text), (), platforms, ROLES)
        artifacts = self.kind.lock(entry, self.sources, RecordingTask())
        return LockedEntry(self.kind.name, text, entry_fingerprint(entry), artifacts)

    def build(self, *entries: LockedEntry) -> Path:
        """Fetch what the entries name into the store and lay it out; returns the image directory."""
        artifacts = [item for entry in entries for item in entry.artifacts if isinstance(item, ImageArtifact)]
        for fetch in self.kind.fetches(artifacts):
            self.kind.fetch(fetch, self.sources, RecordingTask())
        for placement in self.kind.place(entries, [AMD64, ARMV7], self.sources):
            path = self.directory / placement.path
            path.parent.mkdir(parents=True, exist_ok=True)
            content = placement.content
            assert isinstance(content, Blob | bytes)
            path.write_bytes(self.sources.store.read(content) if isinstance(content, Blob) else content)
        return self.directory / "k8simage"


@pytest.fixture
def work(upstream: Upstream, tmp_path: Path) -> Work:
    return Work(upstream, tmp_path / "tree", ImagesKind(), new_sources(tmp_path / "store"))


def new_sources(store: Path) -> Sources:
    return image_sources(RegistryPuller(RequestsTransport()), Store(store))


def skopeo(*arguments: str) -> str:
    done = subprocess.run(
        ["skopeo", "--insecure-policy", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pinned(entry: LockedEntry) -> ImageArtifact:
    (artifact,) = entry.artifacts
    assert isinstance(artifact, ImageArtifact)
    return artifact


def test_a_whole_image_keeps_the_upstream_digest(work: Work) -> None:
    artifact = pinned(work.lock("demo/tool:1", AMD64))
    assert str(artifact.top.digest) == work.upstream.tool.top.digest
    assert artifact.created == CREATED_SECONDS
    docker = pinned(work.lock("demo/docker:1", AMD64, ARMV7, S390X))
    assert docker.top == docker.upstream
    assert docker.media_type == DOCKER_INDEX


@pytest.mark.parametrize("path", ["demo/app:1", "demo/docker:1"])
def test_a_pruned_image_can_be_copied_whole(path: str, work: Work) -> None:
    entry = work.lock(path, AMD64, ARMV7)
    artifact = pinned(entry)
    assert artifact.top != artifact.upstream
    tree = work.build(entry)
    copied = f"site/{path.replace('/', '-')}"
    target = f"docker://{work.upstream.registry.host}/{copied}"
    skopeo("copy", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci:{tree}:{artifact.key}", target)
    again = pinned(work.lock(copied, AMD64, ARMV7))
    assert again.images == artifact.images
    if artifact.media_type == OCI_INDEX:
        assert again.top == artifact.top


def test_a_lock_and_an_empty_store_are_enough(work: Work, tmp_path: Path) -> None:
    entries = [work.lock("demo/app:1", AMD64, ARMV7), work.lock("demo/tool:1", AMD64)]
    decoded = [
        LockedEntry(entry.kind, entry.id, entry.fingerprint, (ImageArtifact.decode(pinned(entry).encode()),))
        for entry in entries
    ]
    elsewhere = Work(work.upstream, tmp_path / "elsewhere", work.kind, new_sources(tmp_path / "empty"))
    one, other = work.build(*entries), elsewhere.build(*decoded[::-1])
    trees = [
        {path.relative_to(tree): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
        for tree in (one, other)
    ]
    assert trees[0] == trees[1]
    assert len(trees[0]) > 10


def test_every_name_can_be_inspected_for_every_platform(work: Work) -> None:
    paths = ("demo/app:1", "demo/docker:1", "demo/docker-tool:1", "demo/tool:1")
    tree = work.build(*(work.lock(path, *((AMD64,) if "tool" in path else (AMD64, ARMV7))) for path in paths))
    host = work.upstream.registry.host
    for path, arch in itertools.product(paths, ("amd64", "arm")):
        if arch == "arm" and "tool" in path:
            continue
        told = json.loads(skopeo("inspect", "--override-arch", arch, f"oci:{tree}:{host}/{path}"))
        assert told["Architecture"] == arch
        assert len(told["Layers"]) == 2


def test_shared_layers_are_moved_once(work: Work) -> None:
    app, tool = work.lock("demo/app:1", AMD64, ARMV7), work.lock("demo/tool:1", AMD64)
    before = len(work.upstream.registry.requests())
    work.build(app, tool)
    base = work.upstream.tool.layers["linux/amd64"][0].digest
    moved = [line for line in work.upstream.registry.requests()[before:] if f"/blobs/{base}" in line]
    assert len(moved) <= 1
    wanted = {blob.digest for entry in (app, tool) for blob in pinned(entry).blobs}
    assert base in {str(digest) for digest in wanted}
