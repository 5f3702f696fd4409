"""Brings what pinned images consist of into the store: documents by digest, configs and layers, each blob once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError, ManifestError, SourceError
from bundler.kinds.base import Fetch
from bundler.model.digest import Blob, Digest
from bundler.model.image.oci import ImageIndex, parse_document, prune_index
from bundler.model.progress import Unwatched
from bundler.model.reference import Reference
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.kinds.base import Sources
    from bundler.model.image.artifact import ImageArtifact
    from bundler.model.image.oci import Descriptor
    from bundler.model.platform import Platform
    from bundler.model.progress import Task


# indexes within indexes: buildx nests once; the bound is for what never ends
MAX_NESTING = 4
MAX_NESTED_INDEXES = 64


@dataclass(frozen=True, slots=True)
class Pruning:
    """An index to be made from the upstream's by keeping some children."""

    result: Blob
    keep: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class ImageFetch:
    """What one `Fetch` of an image is: a document (manifest or index) or a blob, and where it may be had."""

    blob: Blob
    is_document: bool
    repositories: tuple[Reference, ...]
    prunings: tuple[Pruning, ...] = ()


def image_fetches(artifacts: Sequence[ImageArtifact]) -> tuple[Fetch, ...]:
    """Return what brings all these images into the store: documents first, every blob once, sorted by digest."""
    wanted: dict[Blob, _WantedBlob] = {}

    def want(blob: Blob, artifact: ImageArtifact, *, is_document: bool) -> _WantedBlob:
        found = wanted.setdefault(blob, _WantedBlob(blob, is_document, [], set()))
        found.artifacts.append(artifact)
        return found

    for artifact in sorted(artifacts, key=lambda artifact: artifact.key):
        top = want(artifact.upstream, artifact, is_document=True)
        if artifact.top != artifact.upstream:
            top.prunings.add(Pruning(artifact.top, tuple(image.manifest.digest for image in artifact.images)))
        for image in artifact.images:
            if image.manifest.blob != artifact.upstream:
                want(image.manifest.blob, artifact, is_document=True)
            for blob in image.blobs[1:]:
                want(blob, artifact, is_document=False)
    ordered = sorted(wanted.values(), key=lambda item: (not item.is_document, item.blob))
    return tuple(item.fetch() for item in ordered)


@dataclass(slots=True)
class _WantedBlob:
    """One blob while all images are gone through."""

    blob: Blob
    is_document: bool
    artifacts: list[ImageArtifact]
    prunings: set[Pruning]

    def fetch(self) -> Fetch:
        repositories = {artifact.reference.name: artifact.reference for artifact in self.artifacts}
        prunings = tuple(sorted(self.prunings, key=lambda pruning: (pruning.result, pruning.keep)))
        what = tr("manifest {hex}", hex=self.blob.digest.hex[:12]) if self.is_document else self.blob.digest.hex[:12]
        return Fetch(
            label=f"{self.artifacts[0].reference} {what}",
            provides=(self.blob, *dict.fromkeys(pruning.result for pruning in prunings)),
            transfer_bytes=self.blob.size,
            scratch_bytes=0,
            artifacts=tuple(dict.fromkeys(artifact.key for artifact in self.artifacts)),
            detail=ImageFetch(self.blob, self.is_document, tuple(repositories.values()), prunings),
            to_place=self.is_document,
        )


def fetch_image_part(part: ImageFetch, sources: Sources, task: Task) -> None:
    """Bring a document, with the indexes that are made from it, or a blob into the store.

    Raises SourceError, IntegrityError, StorageError, ManifestError (LOCK_INVALID).
    """
    if not part.is_document:
        _fetch_blob(sources, part.repositories, part.blob, task)
        return
    data = read_document(sources, part.repositories, part.blob, task)
    for pruning in part.prunings:
        made = _pruned(sources, part.repositories, data, pruning.keep, task)
        if sources.store.put(made) != pruning.result:
            raise IntegrityError(
                ErrorId.DIGEST_MISMATCH,
                tr("the index that the lock names cannot be made from the upstream's"),
                where=str(part.repositories[0]),
                remedy=tr("Run `bundler lock --update` for this image."),
                want=str(pruning.result.digest),
                got=str(Blob.of(made).digest),
            )


def narrow_image(artifact: ImageArtifact, platforms: Sequence[Platform], sources: Sources) -> ImageArtifact | None:
    """Return what is left of an image for these platforms, its new index in the store, or None when nothing is.

    Raises SourceError, IntegrityError when the upstream index, absent from the store, cannot be had; ManifestError
    (LOCK_INVALID).
    """
    images = tuple(
        image for image in artifact.images if any(image.platform.matches(platform) for platform in platforms)
    )
    if not images or len(images) == len(artifact.images):
        return artifact if images else None
    data = read_document(sources, [artifact.reference], artifact.upstream, Unwatched())
    keep = [image.manifest.digest for image in images]
    top = sources.store.put(_pruned(sources, [artifact.reference], data, keep, Unwatched()))
    return replace(artifact, top=top, images=images)


def _pruned(
    sources: Sources, repositories: Sequence[Reference], upstream: bytes, keep: Sequence[Digest], task: Task
) -> bytes:
    reference = repositories[0]
    try:
        return prune_index(upstream, keep, _nested(sources, repositories, upstream, keep, task))
    except ValueError as error:
        raise ManifestError(
            ErrorId.LOCK_INVALID,
            tr("the lock names manifests that the image's index does not have: {error}", error=error),
            where=str(reference),
            remedy=tr(
                "Restore the lock from version control, or run `bundler lock --update '{reference}'`.",
                reference=reference,
            ),
        ) from error


def _nested(
    sources: Sources, repositories: Sequence[Reference], upstream: bytes, keep: Sequence[Digest], task: Task
) -> dict[Digest, bytes]:
    """Return the indexes within an index, where some of what is kept is no child of its own."""
    index = parse_document(upstream, "")
    if not isinstance(index, ImageIndex) or set(keep) <= {child.digest for child in index.manifests}:
        return {}
    found: dict[Digest, bytes] = {}
    level = index.manifests
    for _ in range(MAX_NESTING):
        below: list[Descriptor] = []
        for child in level:
            if child.is_index and child.digest not in found and len(found) < MAX_NESTED_INDEXES:
                found[child.digest] = read_document(sources, repositories, child.blob, task)
                inner = parse_document(found[child.digest], child.media_type)
                below += inner.manifests if isinstance(inner, ImageIndex) else ()
        level = tuple(below)
    return found


def read_document(sources: Sources, repositories: Sequence[Reference], blob: Blob, task: Task) -> bytes:
    """Return a manifest or index: from the store, or else from the first repository that has it, then stored.

    Raises SourceError (the last repository's), IntegrityError, StorageError.
    """
    if (data := _stored(sources, blob)) is not None:
        return data
    data = _fetch_document(sources, repositories, blob)
    task.advance(len(data))
    if Digest.sha256(data) == blob.digest and len(data) != blob.size:
        raise _wrong_size(repositories[0], blob, tr("{count} bytes", count=len(data)))
    if Blob.of(data) != blob:
        raise IntegrityError(
            ErrorId.DIGEST_MISMATCH,
            tr("the registry gave another document than its digest and size say"),
            where=f"{repositories[0].name}@{blob.digest}",
            remedy=tr("Try again; if it stays so, the registry or a proxy before it is broken."),
            want=f"{blob.digest}, {blob.size} bytes",
            got=f"{Digest.sha256(data)}, {len(data)} bytes",
        )
    sources.store.put(data)
    return data


def read_blob(sources: Sources, repositories: Sequence[Reference], blob: Blob, task: Task) -> bytes:
    """Return a small blob (an image config): from the store, or else from a repository, then stored."""
    if (data := _stored(sources, blob)) is not None:
        return data
    _fetch_blob(sources, repositories, blob, task)
    return sources.store.read(blob)


def _stored(sources: Sources, blob: Blob) -> bytes | None:
    if not sources.store.has(blob):
        return None
    try:
        return sources.store.read(blob)
    except IntegrityError:
        # the store has dropped the damaged entry; the caller fetches it anew
        return None


def _fetch_document(sources: Sources, repositories: Sequence[Reference], blob: Blob) -> bytes:
    *others, last = [Reference(repository.host, repository.path, digest=blob.digest) for repository in repositories]
    for reference in others:
        try:
            return sources.registry.manifest(reference).data
        except (SourceError, IntegrityError):
            # the next repository may have it; what the last one says is raised
            continue
    return sources.registry.manifest(last).data


def _fetch_blob(sources: Sources, repositories: Sequence[Reference], blob: Blob, task: Task) -> None:
    with sources.store.incoming(str(blob.digest)) as incoming:
        if sources.store.has(blob):
            # another build, or another image that shares it, brought it while this one waited
            incoming.discard()
            return
        try:
            sources.registry.blob(repositories, blob, incoming, task)
        except IntegrityError as error:
            if error.id != ErrorId.UPSTREAM_CHANGED:
                raise
            raise _wrong_size(repositories[0], blob, error.got) from error
        if incoming.offset != blob.size and incoming.digest("sha256") == blob.digest:
            raise _wrong_size(repositories[0], blob, tr("{offset} bytes", offset=incoming.offset))
        incoming.commit(blob.digest, size=blob.size)


def _wrong_size(repository: Reference, blob: Blob, got: str) -> SourceError:
    """Return the error for a descriptor whose size is not that of what its digest names: both are the image's own."""
    return SourceError(
        ErrorId.IMAGE_SIZE_WRONG,
        tr(
            "the image says of this part of itself that it is {size} bytes long, and under its digest the registry "
            "has {got}",
            size=blob.size,
            got=got,
        ),
        where=f"{repository.name}@{blob.digest}",
        remedy=tr(
            "The image was made or copied wrongly, and no engine with containerd takes it: have it pushed anew, or "
            "take another tag."
        ),
    )
