"""What a mirror has to serve: by its own bundle.json, by a bundle on this disk, or by a lock. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bundler.archive.checked_index import check_index, refusal
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.artifacts import DECODERS
from bundler.model.bundle import INDEX_PATH
from bundler.model.image.artifact import ImageArtifact
from bundler.model.image.bundled import bundle_images, media_type
from bundler.model.image.site_name import site_repository
from bundler.model.lock import decode_lock
from bundler.model.subset import is_all_wanted
from bundler.translation import tr
from mirror.probe.mirror_report import Finding, named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.archive.checked_index import CheckedIndex
    from bundler.model.bundle import BundleIndex
    from bundler.model.digest import Blob
    from bundler.model.reference import Reference
    from bundler.model.subset import Subset


@dataclass(frozen=True, slots=True)
class WantedImage:
    """An image that a registry has to give.

    Arguments:
        names: on the site, source hosts in front; each with a tag, or with a digest alone.
        top: the document that the names lead to, an index or a manifest.
        media_type: of it.
        upstream: the upstream's own documents, known by their digests alone, where the top was pruned.
    """

    names: tuple[Reference, ...]
    top: Blob
    media_type: str
    upstream: tuple[Blob, ...] = ()

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Repository and reference of every name, as URLs have them."""
        return tuple((site_repository(name), name.tag or str(name.digest)) for name in self.names)

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repositories that have it, each once."""
        return tuple(dict.fromkeys(repository for repository, _ in self.places))


def locked_image(artifact: ImageArtifact) -> WantedImage:
    """Return an image as a lock pins it."""
    upstream = () if artifact.upstream == artifact.top else (artifact.upstream,)
    return WantedImage(artifact.names, artifact.top, artifact.media_type, upstream)


def listed_images(index: BundleIndex, subset: Subset | None = None) -> tuple[WantedImage, ...]:
    """Return the images of a bundle by its index; of a part of it those whose files are all there."""
    is_here = is_all_wanted(subset)
    return tuple(
        WantedImage(image.names, image.top.blob, media_type(image.top), tuple(file.blob for file in image.upstream))
        for image in bundle_images(index.files)
        if is_here(image.files)
    )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the operator trusts.

    Arguments:
        contents: of the bundle on this disk that the mirror should serve; None to believe the mirror's own bundle.json.
        subset: the part of it that is there; None for all of it.
        locked: path -> what a lock pins there; empty without a lock.
        locked_images: what a lock pins of images.
    """

    contents: CheckedIndex | None = None
    subset: Subset | None = None
    locked: Mapping[str, Blob] = field(default_factory=dict)
    locked_images: tuple[WantedImage, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What to fetch from one mirror.

    Arguments:
        id: of the bundle, in full.
        title: its name and release.
        files: path -> what must come.
        findings: what is wrong before anything else is fetched.
        images: what its registry must give.
    """

    id: str
    title: str
    files: Mapping[str, Blob]
    findings: tuple[Finding, ...]
    images: tuple[WantedImage, ...]


def expectation(
    baseline: Baseline, index_bytes: bytes, where: str, sums: Callable[[], bytes | None] = lambda: None
) -> Expectation:
    """Return what a mirror has to serve.

    Arguments:
        index_bytes: the bundle.json that it served.
        where: its address, for messages.
        sums: gives the SHA256SUMS that it served, None for none; asked where its bundle.json cannot be read.

    Without a trusted bundle the served index counts, and SHA256SUMS must say the same. What a lock pins counts in any
    case; what the builder made beside it (repodata, layout, snippets) is in no lock. Raises BundleFormatError;
    IntegrityError where SHA256SUMS says that bundle.json is not the one that was built.
    """
    try:
        contents = baseline.contents or check_index(index_bytes, where)
    except BundleFormatError as error:
        if error.id is ErrorId.BUNDLE_FORMAT_NEWER:
            raise
        named_otherwise = refusal(error, index_bytes, sums())
        if named_otherwise is not error:
            raise named_otherwise from error
        raise replace(error, where=where, remedy=tr("Check that this is a mirror's URL.")) from error
    is_here = is_all_wanted(baseline.subset)
    listed = {path: file.blob for path, file in contents.listed.items() if is_here((file,))}
    findings = tuple(
        Finding(
            str(INDEX_PATH),
            "differs",
            tr("{path} with {blob}", path=path, blob=named(blob)),
            named(listed[path]) if path in listed else "absent",
        )
        for path, blob in sorted(baseline.locked.items())
        if listed.get(path) != blob
    )
    title = f"{contents.index.name} {contents.index.release}".rstrip()
    images = baseline.locked_images if baseline.locked else listed_images(contents.index, baseline.subset)
    return Expectation(contents.id, title, {**listed, **baseline.locked}, findings, images)


def locked_baseline(data: bytes, file: str) -> Baseline:
    """Return what a lock pins and a bundle made from it holds.

    Raises BundleFormatError, ManifestError (LOCK_INVALID).
    """
    lock = decode_lock(data, DECODERS, file=file)
    artifacts = [artifact for entry in lock.entries for artifact in entry.artifacts]
    images = (artifact for artifact in artifacts if isinstance(artifact, ImageArtifact))
    return Baseline(
        locked={str(path): blob for artifact in artifacts for path, blob in artifact.placed.items()},
        locked_images=tuple(map(locked_image, images)),
    )
