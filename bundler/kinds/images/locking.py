"""Pins an image upstream: which documents, configs and layers answer an entry of the manifest. docs/design.md, 4.

Decisions about documents lie in `bundler.model.image.oci`; this asks for them in the right order and says what is
remarkable.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import ErrorId, IntegrityError, ManifestError, SourceError
from bundler.kinds.images.fetching import MAX_NESTED_INDEXES, MAX_NESTING, read_blob, read_document
from bundler.model.artifact import HeldTo
from bundler.model.image.artifact import ImageArtifact, PlatformImage
from bundler.model.image.oci import (
    MANIFEST_TYPES,
    MAX_CONFIG_BYTES,
    Descriptor,
    ImageConfig,
    ImageIndex,
    ImageManifest,
    SchemaOneError,
    parse_config,
    parse_document,
    prune_index,
    select,
)
from bundler.model.reference import Reference
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.kinds.base import Sources
    from bundler.kinds.images.entry import ImageEntry
    from bundler.model.digest import Digest
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.net.interface import RemoteManifest

T = TypeVar("T")


def pin_image(entry: ImageEntry, sources: Sources, task: Task) -> ImageArtifact:
    """Resolve an image upstream and bring its documents and configs into the store, but no layer.

    Raises SourceError (schema 1 and unusable documents included), IntegrityError (the tag is not at the digest that the
    manifest gives it), ManifestError (IMAGE_PLATFORM_MISSING), StorageError.
    """
    return _Pinning(entry, sources, task).pin()


@dataclass(frozen=True, slots=True)
class _Pinning:
    """The work of one `pin_image`."""

    entry: ImageEntry
    sources: Sources
    task: Task
    nested: dict[Digest, bytes] = field(default_factory=dict)

    def pin(self) -> ImageArtifact:
        reference = self.entry.reference
        remote = self._top()
        document = self._parsed(remote)
        upstream = self.sources.store.put(remote.data)
        match document:
            case ImageManifest():
                lone = Descriptor(document.media_type, upstream)
                offered = [replace(lone, platform=self._platform_of(lone, document, is_lone=True))]
            case ImageIndex():
                offered = self._children(document)
        chosen = self._choose(offered)
        images = tuple(self._image(*pair) for pair in zip(self.entry.platforms, chosen, strict=True))
        top = upstream
        if isinstance(document, ImageIndex):
            top = self.sources.store.put(prune_index(remote.data, [child.digest for child in chosen], self.nested))
        if top != upstream and isinstance(document, ImageIndex) and reference.digest is not None:
            self.task.note(
                tr(
                    "{reference} is pinned to an index, of whose {count} manifests the bundle holds "
                    "{kept} (attestations never): a registry that it is pushed to knows it as {digest}, only "
                    "the mirror answers to the pinned digest; where that is asked for on the site, name it by its tag",
                    reference=reference,
                    count=len(document.manifests),
                    kept=len(images),
                    digest=top.digest,
                )
            )
        return ImageArtifact(
            reference=reference,
            upstream=upstream,
            top=top,
            media_type=document.media_type,
            created=self._config(images[0].config).created,
            held_to=HeldTo("manifest") if reference.digest else HeldTo("first-use", via=remote.via),
            also_known_as=self.entry.also_known_as,
            roles=self.entry.roles,
            images=images,
        )

    def _top(self) -> RemoteManifest:
        # the tag goes first where there are both: a digest that belongs to another tag is a mistake worth knowing
        reference = self.entry.reference
        by_tag = Reference(reference.host, reference.path, reference.tag) if reference.tag else reference
        try:
            remote = self.sources.registry.manifest(by_tag, want=reference.digest)
        except IntegrityError as error:
            if not reference.tag or error.want != str(reference.digest):
                raise
            raise IntegrityError(
                ErrorId.DIGEST_MISMATCH,
                tr(
                    "{position}: the tag {tag} is not at the digest that the manifest gives",
                    position=self.entry.position,
                    tag=reference.tag,
                ),
                where=by_tag.tagged,
                remedy=tr("Find out why; then correct the digest, or leave the tag out to take the digest as it is."),
                want=error.want,
                got=error.got,
            ) from error
        self.task.advance(len(remote.data))
        return remote

    def _children(self, index: ImageIndex) -> list[Descriptor]:
        """Return the children that are images, each with its platform where the index or its config tells it."""
        images = self._images_below(index, 0)
        if self.nested:
            self.task.note(
                tr(
                    "{reference} has an index within its index: the bundle lists the images themselves, which "
                    "Docker before 23 and skopeo look for there",
                    reference=self.entry.reference,
                )
            )
        if None not in select(images, self.entry.platforms):
            return images
        is_lone = len(images) == 1
        return [child if child.platform else self._with_platform(child, is_lone=is_lone) for child in images]

    def _images_below(self, index: ImageIndex, depth: int) -> list[Descriptor]:
        """Return the images of an index and of the indexes within it; an index's word for a platform is theirs too."""
        images: list[Descriptor] = []
        for child in index.manifests:
            if child.media_type in MANIFEST_TYPES and not child.is_attestation:
                images.append(child)
            elif child.is_index and self._may_hold_wanted(child):
                inner = self._images_below(self._index(child, depth), depth + 1)
                images += [one if one.platform else replace(one, platform=child.platform) for one in inner]
        return images

    def _may_hold_wanted(self, child: Descriptor) -> bool:
        own = child.platform
        return own is None or any(own.matches(wanted) for wanted in self.entry.platforms)

    def _index(self, child: Descriptor, depth: int) -> ImageIndex:
        if depth >= MAX_NESTING or len(self.nested) >= MAX_NESTED_INDEXES:
            raise self._unusable(tr("{digest}: too many indexes within its index", digest=child.digest))
        data = self.nested[child.digest] = read_document(self.sources, [self.entry.reference], child.blob, self.task)
        found = self._usable(lambda: parse_document(data, child.media_type), child.digest)
        if not isinstance(found, ImageIndex):
            raise self._unusable(tr("{digest}: it is called an index and is a manifest", digest=child.digest))
        return found

    def _with_platform(self, child: Descriptor, *, is_lone: bool) -> Descriptor:
        try:
            platform = self._platform_of(child, self._manifest(child), is_lone=is_lone)
        except SourceError as error:
            if error.id != ErrorId.SOURCE_INVALID:
                raise
            self.task.note(
                tr(
                    "{digest} is left out, it tells no platform: {sentence}",
                    digest=child.digest,
                    sentence=error.sentence,
                )
            )
            return child
        return replace(child, platform=platform)

    def _platform_of(self, child: Descriptor, manifest: ImageManifest, *, is_lone: bool) -> Platform | None:
        """Return the platform that a config tells; a lone image without one is for the one platform that is wanted."""
        config = self._config(manifest.config)
        wanted = self.entry.platforms[0]
        if config.platform is not None or not is_lone or not config.may_be_for(wanted):
            return config.platform
        if len(self.entry.platforms) > 1:
            raise ManifestError(
                ErrorId.IMAGE_PLATFORM_MISSING,
                tr(
                    "{reference} does not tell which of {platforms} it is for: "
                    "its config names no operating system or no architecture",
                    reference=self.entry.reference,
                    platforms=", ".join(map(str, self.entry.platforms)),
                ),
                where=str(self.entry.position),
                remedy=tr("Give the entry `platforms:` with the one that it is for."),
            )
        self.task.note(
            tr(
                "{reference}: its config ({digest}) names no operating system or no architecture; it is "
                "taken for {wanted}, the one platform that is wanted",
                reference=self.entry.reference,
                digest=child.digest,
                wanted=wanted,
            )
        )
        return wanted

    def _choose(self, offered: Sequence[Descriptor]) -> tuple[Descriptor, ...]:
        chosen = select(offered, self.entry.platforms)
        missing = [str(platform) for platform, child in zip(self.entry.platforms, chosen, strict=True) if child is None]
        if missing:
            has = sorted({str(child.platform) for child in offered if child.platform is not None})
            raise ManifestError(
                ErrorId.IMAGE_PLATFORM_MISSING,
                tr(
                    "{reference} is not published for {missing}, only for {has}",
                    reference=self.entry.reference,
                    missing=", ".join(missing),
                    has=", ".join(has) or tr("no platform that it names"),
                ),
                where=str(self.entry.position),
                remedy=tr("Give the entry `platforms:` with those that it has, or choose another image."),
            )
        return tuple(child for child in chosen if child is not None)

    def _image(self, platform: Platform, child: Descriptor) -> PlatformImage:
        manifest = self._manifest(child)
        own = self._config(manifest.config).platform
        if child.platform is not None and own is not None and not own.matches(child.platform):
            self.task.note(
                tr(
                    "{reference}: what its index calls {platform} calls itself {own}",
                    reference=self.entry.reference,
                    platform=child.platform,
                    own=own,
                )
            )
        kept = tuple(layer for layer in manifest.layers if not layer.is_foreign)
        skipped = tuple(layer for layer in manifest.layers if layer.is_foreign)
        if skipped:
            self.task.note(
                tr(
                    "{reference} ({platform}): {count} foreign layers are left out, "
                    "so that no engine can load it from the bundle",
                    reference=self.entry.reference,
                    platform=platform,
                    count=len(skipped),
                )
            )
        if any(layer.is_zstd for layer in kept):
            self.task.note(
                tr(
                    "{reference} ({platform}): has zstd layers, which Docker before 23 cannot load",
                    reference=self.entry.reference,
                    platform=platform,
                )
            )
        named = Descriptor(manifest.media_type, child.blob)
        config = Descriptor(manifest.config.media_type, manifest.config.blob)
        return PlatformImage(platform, named, config, kept, skipped)

    def _manifest(self, child: Descriptor) -> ImageManifest:
        data = read_document(self.sources, [self.entry.reference], child.blob, self.task)
        found = self._usable(lambda: parse_document(data, child.media_type), child.digest)
        if not isinstance(found, ImageManifest):
            raise self._unusable(tr("{digest}: it is called a manifest and is an index", digest=child.digest))
        return found

    def _config(self, config: Descriptor) -> ImageConfig:
        if config.size > MAX_CONFIG_BYTES:
            raise self._unusable(tr("{digest}: a config of {size:,} bytes", digest=config.digest, size=config.size))
        data = read_blob(self.sources, [self.entry.reference], config.blob, self.task)
        return self._usable(lambda: parse_config(data), config.digest)

    def _parsed(self, remote: RemoteManifest) -> ImageManifest | ImageIndex:
        return self._usable(lambda: parse_document(remote.data, remote.media_type), remote.digest)

    def _usable(self, parse: Callable[[], T], digest: Digest) -> T:
        try:
            return parse()
        except SchemaOneError as error:
            raise SourceError(
                ErrorId.IMAGE_SCHEMA_UNSUPPORTED,
                str(error),
                where=str(self.entry.reference),
                remedy=tr("Push the image anew with a current tool, or take a newer tag."),
            ) from error
        except ValueError as error:
            raise self._unusable(f"{digest}: {error}") from error

    def _unusable(self, what: str) -> SourceError:
        return SourceError(
            ErrorId.SOURCE_INVALID,
            tr("what the registry gave is no image: {what}", what=what),
            where=str(self.entry.reference),
            remedy=tr("Check the reference: charts, signatures and other artifacts cannot be bundled as images."),
        )
