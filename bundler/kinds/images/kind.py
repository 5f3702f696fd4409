"""Container images: entries of `images:` in the manifest, pinned with all their platforms, laid out as `k8simage/`.

Owns how the parts fit. Reading the entries is `bundler.kinds.images.reading`, pinning `bundler.kinds.images.locking`,
getting the bytes `bundler.kinds.images.fetching`, the directory's own bytes `bundler.model.image.layout`.
docs/design.md, 3, 4, 6 and 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.kinds.base import Estimate, Fetch, Sources
from bundler.kinds.images.reading import check_image_entries, read_image_entry
from bundler.kinds.images.schema import IMAGE_SCHEMA
from bundler.model.image.artifact import ImageArtifact, site_name_conflicts
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.kinds.images.entry import ImageEntry
    from bundler.model.json_value import Json
    from bundler.model.lock import LockedEntry
    from bundler.model.placement import Placement
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node


class ImagesKind:
    """The kind `images`."""

    @property
    def name(self) -> str:
        """The key in the manifest."""
        return "images"

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON schema of one item: a reference, or a mapping."""
        return IMAGE_SCHEMA

    def read(self, node: Node, scope: Scope) -> ImageEntry | None:
        """Read a reference or a mapping; see `EntryReader`."""
        return read_image_entry(node, scope)

    def check(self, entries: Sequence[ImageEntry], scope: Scope) -> None:
        """Report images listed twice, and warn of different ones that meet under one site name."""
        check_image_entries(entries, scope)

    def estimate(self, entry: ImageEntry, sources: Sources, task: Task) -> Estimate:
        """Pin the image, which moves only documents, and return what is left to move."""
        artifacts = self.lock(entry, sources, task)
        return Estimate(self.fetches(artifacts), artifacts=artifacts)

    def lock(
        self,
        entry: ImageEntry,
        sources: Sources,
        task: Task,
        *,
        kept: Sequence[ImageArtifact] = (),
        moved: Sequence[ImageArtifact] = (),
    ) -> tuple[ImageArtifact, ...]:
        """Pin the image; see `pin_image` for what is raised. It is one thing: no earlier pin of it is kept."""
        from bundler.kinds.images.locking import pin_image

        del kept, moved
        return (pin_image(entry, sources, task),)

    def disagreements(
        self, entry: ImageEntry, pinned: Sequence[ImageArtifact], platforms: Sequence[Platform]
    ) -> Iterable[str]:
        """Hold an image's names, platforms and digests against the entry; see `Kind`."""
        from bundler.kinds.images.disagreements import image_disagreements

        return image_disagreements(entry, pinned, platforms)

    def narrow(self, artifact: ImageArtifact, platforms: Sequence[Platform], sources: Sources) -> ImageArtifact | None:
        """Return what is left of the image for these platforms."""
        from bundler.kinds.images.fetching import narrow_image

        return narrow_image(artifact, platforms, sources)

    def fetches(self, artifacts: Sequence[ImageArtifact]) -> tuple[Fetch, ...]:
        """Return what brings the images into the store, blob by blob."""
        from bundler.kinds.images.fetching import image_fetches

        return image_fetches(artifacts)

    def fetch(self, fetch: Fetch, sources: Sources, task: Task) -> None:
        """Bring one blob, or one document with what is made from it, into the store."""
        from bundler.kinds.images.fetching import ImageFetch, fetch_image_part

        if not isinstance(fetch.detail, ImageFetch):
            raise TypeError(f"{fetch.label} is no fetch of images")
        fetch_image_part(fetch.detail, sources, task)

    def place(
        self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources
    ) -> Sequence[Placement]:
        """Return the directory `k8simage/`.

        Raises ManifestError when different images claim one site name, and as `require_documents` does.
        """
        artifacts = [
            artifact for entry in entries for artifact in entry.artifacts if isinstance(artifact, ImageArtifact)
        ]
        if problems := site_name_conflicts(artifacts):
            raise ManifestError(
                ErrorId.SITE_NAME_CONFLICT,
                tr("different images have one name on the site"),
                remedy=tr("Leave all but one of them out, or pin them to one digest."),
                problems=problems,
            )
        if not artifacts:
            return ()
        from bundler.kinds.images.documents import require_documents
        from bundler.kinds.images.scripts import travelling_scripts
        from bundler.model.image.layout import layout_placements

        require_documents(artifacts, sources.store)
        return layout_placements(artifacts, platforms, travelling_scripts(), kind=self.name)
