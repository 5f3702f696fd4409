"""Do the pins of an entry of `images:` answer it? Decides from the two alone, before anything is fetched.

Whether configs and layers are those of the manifests is asked once the documents are there (`documents`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.differences import differences
from bundler.model.artifact import HeldTo
from bundler.model.image.oci import INDEX_TYPES, MANIFEST_TYPES
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.kinds.images.entry import ImageEntry
    from bundler.model.image.artifact import ImageArtifact
    from bundler.model.platform import Platform


def image_disagreements(
    entry: ImageEntry, pinned: Sequence[ImageArtifact], platforms: Sequence[Platform]
) -> Iterator[str]:
    """Yield, a line each, how an image is not what an entry asks for; arguments as for `Kind.disagreements`."""
    wanted = tuple(own for own in entry.platforms if not platforms or any(map(own.matches, platforms)))
    if len(pinned) != bool(wanted):
        yield tr(
            "{count} images are pinned, the manifest asks for {wanted}", count=len(pinned), wanted=int(bool(wanted))
        )
    for artifact in pinned:
        yield from _differences(entry, artifact, wanted)
        yield from _contradictions(artifact)


def _differences(entry: ImageEntry, artifact: ImageArtifact, platforms: tuple[Platform, ...]) -> Iterator[str]:
    asked = entry.reference
    return differences(
        [
            ("reference", asked, artifact.reference),
            ("as", entry.also_known_as, artifact.also_known_as),
            ("platforms", platforms, artifact.platforms),
            ("roles", entry.roles, artifact.roles),
            (
                "held_to",
                HeldTo("manifest" if asked.digest else "first-use"),
                HeldTo(artifact.held_to.by, artifact.held_to.detail),
            ),
            ("upstream_digest", asked.digest or artifact.upstream.digest, artifact.upstream.digest),
        ]
    )


def _contradictions(artifact: ImageArtifact) -> Iterator[str]:
    """Yield what the documents cannot be, whatever they say: of one digest and two types."""
    manifests = [image.manifest for image in artifact.images]
    if artifact.media_type not in INDEX_TYPES | MANIFEST_TYPES:
        yield tr("has media_type {media_type}, which no image has", media_type=artifact.media_type)
    elif not artifact.is_index:
        if any(blob != artifact.upstream for blob in (artifact.top, *(manifest.blob for manifest in manifests))):
            yield tr("is no index, and yet its manifest is another document than itself")
        if any(manifest.media_type != artifact.media_type for manifest in manifests):
            yield tr("is no index, and yet its manifest has another media_type than itself")
    elif any(manifest.blob in (artifact.top, artifact.upstream) for manifest in manifests):
        yield tr("is an index, and yet its own manifest")
    if any(manifest.media_type not in MANIFEST_TYPES for manifest in manifests):
        yield tr("has a manifest of a media_type that no manifest has")
